import { AlertDialog } from '@base-ui/react/alert-dialog';
import styles from './ConfirmButton.module.css';

type Question = Readonly<{ question: string; detail: string; action: string; onConfirm: () => void }>;
type ConfirmProps = Question & Readonly<{ children: string; disabled?: boolean }>;

/** A button for what cannot be taken back: asks once, and the safe answer has the focus. */
export function ConfirmButton({ children, question, detail, action, onConfirm, disabled = false }: ConfirmProps) {
  return (
    <AlertDialog.Root>
      <AlertDialog.Trigger className={styles.trigger} disabled={disabled}>
        {children}
      </AlertDialog.Trigger>
      <ConfirmPopup question={question} detail={detail} action={action} onConfirm={onConfirm} />
    </AlertDialog.Root>
  );
}

/** The question itself, for an `AlertDialog.Root` that something else opens. */
export function ConfirmPopup({ question, detail, action, onConfirm }: Question) {
  return (
    <AlertDialog.Portal>
      <AlertDialog.Backdrop className={styles.backdrop} />
      <AlertDialog.Popup className={styles.popup}>
        <AlertDialog.Title className={styles.title}>{question}</AlertDialog.Title>
        <AlertDialog.Description className={styles.detail}>{detail}</AlertDialog.Description>
        <div className={styles.buttons}>
          <AlertDialog.Close className={styles.cancel}>Cancel</AlertDialog.Close>
          <AlertDialog.Close className={styles.act} onClick={onConfirm}>
            {action}
          </AlertDialog.Close>
        </div>
      </AlertDialog.Popup>
    </AlertDialog.Portal>
  );
}
