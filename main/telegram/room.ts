import { CodedError } from '../../contract/errors.ts';
import type { Principal, VaultState } from '../../contract/states.ts';
import type { MemberKind, TelegramActions, TelegramView } from '../../contract/telegramView.ts';
import type { Channel, ConfirmBinding, Desk } from '../approvals/channel.ts';
import type { Clock } from '../core/clock.ts';
import { toVisibleText } from '../core/display.ts';
import type { Log } from '../core/log.ts';
import { type Backoff, pause } from './backoff.ts';
import type { TelegramOwner } from './commands.ts';
import { Invitations } from './invitations.ts';
import { shorten } from './richText.ts';
import { type RoomState, roomView } from './roomView.ts';
import { type Member, type Setup, type SetupPorts, StoredSetup } from './storedSetup.ts';
import type { Telegram, TelegramPorts } from './telegram.ts';

export type RoomPorts = Readonly<{
  /** From the environment; with a token there it wins over what the owner set up. */
  config: Readonly<{ botToken: string | null; chatIds: readonly number[]; apiRoot: string | null }>;
  vault: SetupPorts['vault'] &
    Readonly<{ state(): VaultState; onChange(listener: (state: VaultState) => void): () => void }>;
  records: SetupPorts['records'] & TelegramPorts['records'];
  desk: Desk & Readonly<{ addChannel(channel: Channel): void; removeChannel(channel: Channel): void }>;
  owner: () => TelegramOwner;
  confirmBinding: ConfirmBinding;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  log: Log;
  /** Something changed that the window shows. */
  changed: () => void;
  backoff?: Backoff;
}>;

const MAX_MEMBERS = 20;
/** For taking the buttons off old messages; a bot whose token is dead must not hold up the next one. */
const FAREWELL_MS = 3000;
const byEnvironment = 'Telegram is set up by the environment of this process (TELEGRAM_BOT_TOKEN).';

/**
 * Holds the owner's bot: starts it from the environment or, once the vault is open, from what the owner set up, and puts
 * another in its place while everything runs. A vault that locks does not stop it. All changes come one after the other.
 */
export class TelegramRoom implements TelegramActions {
  readonly #ports: RoomPorts;
  readonly #stored: StoredSetup;
  readonly #invitations: Invitations;
  readonly #closing = new AbortController();
  #telegram: Telegram | null = null;
  #setup: Setup | null = null;
  #test: RoomState['test'] = null;
  /** Why the stored set-up is not in use, a sentence. */
  #unread: string | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #unfollow: () => void = () => {};

  constructor(ports: RoomPorts) {
    this.#ports = ports;
    this.#stored = new StoredSetup(ports);
    this.#invitations = new Invitations(ports);
  }

  /** Resolves when the bot was started, or there is none to start yet. */
  start(): Promise<void> {
    this.#unfollow = this.#ports.vault.onChange((state) => {
      if (state === 'unlocked') void this.#one(() => this.#startStored());
    });
    const { botToken, chatIds } = this.#ports.config;
    return this.#one(() => (botToken === null ? this.#startStored() : this.#run(botToken, chatIds, 'environment')));
  }

  async stop(): Promise<void> {
    this.#unfollow();
    this.#invitations.end(null);
    this.#closing.abort();
    await this.#one(() => this.#halt(new Set()));
  }

  /** For the status: null when nothing is configured. */
  get facts(): Readonly<{ status(): Promise<'connected' | 'disconnected'>; readonly problem: string | null }> | null {
    if (this.#telegram !== null) return this.#telegram;
    if (this.#setup === null && this.#unread === null) return null;
    return { status: async () => 'disconnected', problem: this.#unread };
  }

  /** Tells every chat something that asks nothing. */
  async notice(text: string): Promise<void> {
    await this.#telegram?.notice(text);
  }

  async view(): Promise<TelegramView> {
    const { facts } = this;
    const connection = (await facts?.status()) ?? 'not_configured';
    return roomView({
      environmentChats: this.#ports.config.botToken === null ? null : this.#ports.config.chatIds,
      setup: this.#setup,
      connection,
      problem: facts?.problem ?? null,
      invitation: this.#invitations.current,
      invitationEnded: this.#invitations.ended,
      test: this.#test,
    });
  }

  async connect(principal: Principal, text: string): Promise<void> {
    this.#refuseEnvironment();
    const token = text.trim();
    const { checkBot, isTokenShaped } = await import('./botCheck.ts');
    if (!isTokenShaped(token)) {
      throw new CodedError('invalid_request', 'This is not a bot token.', {
        hint: '@BotFather sends it: a number, a colon, then about 35 letters and digits.',
      });
    }
    await this.#one(async () => {
      this.#refuseLocked();
      const before = this.#setup;
      if (before?.token === token) throw new CodedError('already_exists', 'This token is in use already.');
      const bot = await checkBot(token, this.#ports.config.apiRoot, this.#closing.signal);
      const setup = { token, botId: bot.id, username: bot.username, members: before?.members ?? [] };
      const kind = before === null ? 'telegram.connected' : 'telegram.token_replaced';
      this.#stored.save(setup, { actor: principal, kind, payload: { bot_id: bot.id, username: bot.username } });
      this.#invitations.end(null);
      this.#test = null;
      await this.#become(setup, bot.id === before?.botId ? [] : (before?.members ?? []));
    });
  }

  invite(_principal: Principal, kind: MemberKind): void {
    const { members } = this.#requireSetup();
    if (members.length >= MAX_MEMBERS) {
      throw new CodedError('invalid_request', `There are ${MAX_MEMBERS} people and groups already.`);
    }
    if (kind === 'group' && !members.some((member) => member.kind === 'person')) {
      throw new CodedError('invalid_request', 'Add yourself first: in a group only approvers can decide.');
    }
    this.#invitations.invite(kind);
  }

  cancelInvitation(_principal: Principal): void {
    this.#invitations.end(null);
  }

  async admit(principal: Principal, chatId: number): Promise<void> {
    await this.#one(async () => {
      const setup = this.#requireSetup();
      const claim = this.#invitations.current?.claim ?? null;
      // What the owner said yes to, and nobody who came in between.
      if (claim === null || claim.chatId !== chatId) {
        throw new CodedError('card_changed', 'This code is not open any more.', { hint: 'Make a new one.' });
      }
      const { kind, name } = claim;
      const members = [...setup.members.filter((member) => member.chatId !== chatId), claim];
      const payload = { chat_id: chatId, member: kind, name };
      const next = { ...setup, members };
      this.#stored.save(next, { actor: principal, kind: 'telegram.member_added', payload });
      this.#invitations.end(null);
      await this.#become(next, []);
      const who = toVisibleText(name, { maxChars: 80 });
      const said =
        kind === 'person' ? `${who} may decide from now on.` : `The group ${who} gets the cards from now on.`;
      void this.notice(said);
    });
  }

  async remove(principal: Principal, chatId: number): Promise<void> {
    await this.#one(async () => {
      const setup = this.#requireSetup();
      const gone = setup.members.filter((member) => member.chatId === chatId);
      const [member] = gone;
      if (member === undefined) throw new CodedError('not_found', 'There is no such person or group any more.');
      const next = { ...setup, members: setup.members.filter((other) => other.chatId !== chatId) };
      const payload = { chat_id: chatId, member: member.kind, name: member.name };
      this.#stored.save(next, { actor: principal, kind: 'telegram.member_removed', payload });
      await this.#become(next, gone);
    });
  }

  async test(_principal: Principal): Promise<void> {
    const telegram = this.#telegram;
    if (telegram === null) throw new CodedError('invalid_request', 'Telegram is not connected.');
    this.#test = null;
    const mine: RoomState['test'] = { state: 'sent', text: 'Sent. Press the button on it, within two minutes.' };
    const failures = await telegram.test((userId) => {
      this.#setTest({ state: 'works', text: `It works: ${this.#nameOf(userId)} pressed the button.` });
    });
    const [failed] = failures;
    if (failed !== undefined) {
      const why =
        failed.failure.kind === 'forbidden'
          ? 'has to open the bot and press Start first.'
          : `could not be reached (${failed.failure.text}).`;
      this.#setTest({ state: 'failed', text: `${this.#nameOf(failed.userId)} ${why}` });
    } else if (this.#test === null) this.#setTest(mine);
  }

  async disconnect(principal: Principal): Promise<void> {
    this.#refuseEnvironment();
    await this.#one(async () => {
      if (!this.#stored.exists()) return;
      const members = this.#setup?.members ?? [];
      const payload = this.#setup === null ? {} : { bot_id: this.#setup.botId, username: this.#setup.username };
      this.#stored.forget({ actor: principal, kind: 'telegram.disconnected', payload });
      this.#invitations.end(null);
      this.#setup = null;
      this.#unread = null;
      this.#test = null;
      await this.#halt(chatsOf(members));
      this.#ports.changed();
    });
  }

  /** The sealed set-up, as far as it can be read; what stops it is kept for telling. */
  async #startStored(): Promise<void> {
    if (this.#telegram !== null || this.#closing.signal.aborted || this.#ports.config.botToken !== null) return;
    try {
      if (!this.#stored.exists()) return;
      if (this.#ports.vault.state() !== 'unlocked') {
        this.#unread = 'Telegram starts when the vault is unlocked';
        return;
      }
      const setup = this.#stored.read();
      if (setup !== null) await this.#become(setup, []);
    } catch (error) {
      this.#ports.log.error(
        { error: error instanceof CodedError ? error.code : 'unreadable' },
        'Telegram did not start',
      );
      this.#unread = 'The stored set-up of Telegram cannot be read; connect it again in Settings, Telegram';
      this.#ports.changed();
    }
  }

  /** Puts the bot of this set-up in the place of the one that runs; these chats of the old one are left behind. */
  async #become(setup: Setup, left: readonly Member[]): Promise<void> {
    this.#setup = setup;
    this.#unread = null;
    await this.#halt(chatsOf(left));
    const chats = setup.members.map(({ chatId }) => chatId);
    await this.#run(setup.token, chats, 'window');
    this.#ports.changed();
  }

  async #run(token: string, chatIds: readonly number[], from: 'environment' | 'window'): Promise<void> {
    const { apiRoot } = this.#ports.config;
    const { backoff, desk, owner, confirmBinding, records, clock, random, log, changed } = this.#ports;
    // Loaded only here: most of the time that a start takes is loading code.
    const { Telegram } = await import('./telegram.ts');
    if (this.#closing.signal.aborted) return;
    const telegram = new Telegram(
      { token, chatIds, from, ...(apiRoot === null ? {} : { apiRoot }), ...(backoff === undefined ? {} : { backoff }) },
      { desk, owner: owner(), confirmBinding, records, clock, random, log, changed, invitations: this.#invitations },
    );
    this.#telegram = telegram;
    desk.addChannel(telegram.channel);
    telegram.start();
  }

  async #halt(left: ReadonlySet<number>): Promise<void> {
    const telegram = this.#telegram;
    if (telegram === null) return;
    this.#telegram = null;
    this.#ports.desk.removeChannel(telegram.channel);
    if (left.size > 0) {
      await Promise.race([telegram.channel.retire(left), pause(FAREWELL_MS, this.#closing.signal)]);
    }
    await telegram.stop();
  }

  #one<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  #setTest(test: RoomState['test']): void {
    this.#test = test;
    this.#ports.changed();
  }

  #nameOf(chatId: number): string {
    const name = this.#setup?.members.find((member) => member.chatId === chatId)?.name ?? `User ${chatId}`;
    return shorten(name, 60);
  }

  #requireSetup(): Setup {
    this.#refuseEnvironment();
    this.#refuseLocked();
    if (this.#setup === null) throw new CodedError('invalid_request', 'Connect a bot first.');
    return this.#setup;
  }

  #refuseEnvironment(): void {
    if (this.#ports.config.botToken === null) return;
    throw new CodedError('invalid_request', byEnvironment, { hint: 'Change it there and start OAuth3 again.' });
  }

  #refuseLocked(): void {
    if (this.#ports.vault.state() === 'unlocked') return;
    throw new CodedError('vault_locked', 'The vault is locked.', { hint: 'Unlock it first: the token is kept in it.' });
  }
}

const chatsOf = (members: readonly Member[]): ReadonlySet<number> => new Set(members.map(({ chatId }) => chatId));
