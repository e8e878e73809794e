/** What keeps the store from opening. The message tells the owner what to do; nothing was changed or recreated. */
export type StoreOpenErrorCode =
  | 'data_folder_in_use'
  | 'data_folder_unsafe'
  | 'data_folder_unusable'
  | 'database_too_new'
  | 'database_corrupt';

export class StoreOpenError extends Error {
  readonly code: StoreOpenErrorCode;
  readonly path: string;

  constructor(code: StoreOpenErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.path = path;
  }
}

/** Another broker holds the folder. `pid` is null when it could not be read. */
export class DataFolderInUseError extends StoreOpenError {
  readonly pid: number | null;

  constructor(path: string, pid: number | null) {
    const who = pid === null ? 'Another OAuth3' : `OAuth3 with process id ${pid}`;
    super('data_folder_in_use', path, `${who} already uses ${path}. Use that one, or stop it first.`);
    this.pid = pid;
  }
}

/** A symlink, another owner or a strange file where our own should be. */
export class DataFolderUnsafeError extends StoreOpenError {
  constructor(path: string, message: string) {
    super('data_folder_unsafe', path, message);
  }
}

/** The folder or the file cannot be made, read or written: rights, a read-only file system, a full disk. */
export class DataFolderUnusableError extends StoreOpenError {
  constructor(path: string, options: ErrorOptions) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(
      'data_folder_unusable',
      path,
      `${path} cannot be used (${reason}). Check its rights and the free space of the disk, or set OAUTH3_DATA_DIR to another folder.`,
      options,
    );
  }
}

export class DatabaseTooNewError extends StoreOpenError {
  readonly found: number;
  readonly known: number;

  constructor(path: string, found: number, known: number) {
    super(
      'database_too_new',
      path,
      `${path} was written by a newer version of OAuth3 (schema ${found}, this version knows ${known}). Start the newer version; nothing was changed.`,
    );
    this.found = found;
    this.known = known;
  }
}

export class DatabaseCorruptError extends StoreOpenError {
  readonly detail: string;

  constructor(path: string, detail: string, options?: ErrorOptions) {
    super(
      'database_corrupt',
      path,
      `${path} is damaged (${detail}). It was left as it is. Put a backup in its place, or move the data folder away to start anew; secrets must then be entered again.`,
      options,
    );
    this.detail = detail;
  }
}
