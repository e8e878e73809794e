import type { SecretView } from '../../../contract/owner.ts';
import { Field } from '../../shared/Field.tsx';
import styles from './Secrets.module.css';

/** Places besides Authorization, as typed: names with commas between them. */
export type PlacesText = Readonly<{ headers: string; query: string; path: boolean; json: string; form: string }>;

export const noPlacesText: PlacesText = { headers: '', query: '', path: false, json: '', form: '' };

type Places = { headers: string[]; query: string[]; path: boolean; json: string[]; form: string[] };

// A form field may be called `api key`: only a comma is between two names.
const names = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const placesOf = ({ headers, query, path, json, form }: PlacesText): Places => ({
  headers: names(headers),
  query: names(query),
  path,
  json: names(json),
  form: names(form),
});

export const placesTextOf = ({ headers, query, path, json, form }: SecretView): PlacesText => ({
  headers: headers.join(', '),
  query: query.join(', '),
  path,
  json: json.join(', '),
  form: form.join(', '),
});

type PlaceFieldsProps = Readonly<{ places: PlacesText; onChange: (places: PlacesText) => void }>;

/** Where else in a request a secret may stand. Each place is shown on the cards of code that uses it. */
export function PlaceFields({ places, onChange }: PlaceFieldsProps) {
  return (
    <fieldset className={styles.places}>
      <legend>Where it may stand in a request (optional; each place is shown on the card)</legend>
      <Field
        label="Headers it may stand in"
        value={places.headers}
        onChange={(headers) => onChange({ ...places, headers })}
        hint="Authorization and the usual header of a well-known host need no entry. Separate with commas, here and below."
      />
      <Field
        label="Query parameters it may stand in"
        value={places.query}
        onChange={(query) => onChange({ ...places, query })}
        hint="A URL ends up in logs of the host more easily than a header."
      />
      <Field
        label="JSON fields it may stand in"
        value={places.json}
        onChange={(json) => onChange({ ...places, json })}
        placeholder="/auth/key"
        hint="A slash before each key on the way to it. Bodies towards its hosts are then read whole, up to 1 MiB."
      />
      <Field
        label="Form fields it may stand in"
        value={places.form}
        onChange={(form) => onChange({ ...places, form })}
        placeholder="api_key"
        hint="Of URL-encoded forms; forms with files (multipart) are passed on as they are."
      />
      <label>
        <input
          type="checkbox"
          checked={places.path}
          onChange={(event) => onChange({ ...places, path: event.target.checked })}
        />{' '}
        It may stand in the path of the URL
      </label>
    </fieldset>
  );
}
