import { useState } from 'react';
import { unwrap } from '../../shared/api.ts';
import { Button } from '../../shared/Button.tsx';
import { Field } from '../../shared/Field.tsx';
import { useLoaded } from '../../shared/useLoaded.ts';
import type { PageProps } from '../App.tsx';
import { ConfirmButton } from '../ConfirmButton.tsx';
import { Empty, PageFrame, Panel, Table } from '../Page.tsx';
import { useAction } from '../useAction.ts';
import styles from './Agents.module.css';

/** Names that may lead into the owner's own network, which nothing else reaches. */
export function Services({ api, changes }: PageProps) {
  const services = useLoaded(() => unwrap(api.calls.localServices(null)), changes);
  const { problem, act } = useAction(services.reload);
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const add = () =>
    act(() => unwrap(api.calls.addLocalService({ entry: `${name.trim()}=${address.trim()}` }))).then((done) => {
      if (!done) return;
      setName('');
      setAddress('');
    });
  const isReady = name.trim() !== '' && address.trim() !== '';
  return (
    <PageFrame
      title="Local services"
      lead="Code never reaches your own network, except what you name here. Each card says when a host is one of these."
      problem={problem ?? services.problem}
    >
      <Panel label="Add a local service">
        <div className={styles.add}>
          <Field
            label="Name that requests use"
            value={name}
            onChange={setName}
            placeholder="home-assistant"
            hint="As in https://home-assistant/api."
          />
          <Field
            label="Address, and port if only one is meant"
            value={address}
            onChange={setAddress}
            placeholder="192.168.1.20:8123"
            hint="An IP address of your network or of this machine."
            onEnter={() => isReady && add()}
          />
          <Button tone="primary" disabled={!isReady} onClick={add}>
            Add
          </Button>
        </div>
      </Panel>
      {services.value?.length === 0 && (
        <Empty>No local services. Add Home Assistant, a NAS or Ollama, and requests may ask for it by name.</Empty>
      )}
      {(services.value?.length ?? 0) > 0 && (
        <Table
          label="Local services"
          columns={['Name', 'Leads to', '']}
          rows={(services.value ?? []).map((service) => ({
            key: service.name,
            cells: [
              <code key="name">{service.name}</code>,
              service.port === null ? `${service.address}, any port` : `${service.address}, port ${service.port}`,
              service.source === 'environment' ? (
                <small key="source">from OAUTH3_EGRESS_HOSTS</small>
              ) : (
                <ConfirmButton
                  key="remove"
                  question={`Remove ${service.name}?`}
                  detail="Requests that name it are refused from now on; runs that have begun go on."
                  action="Remove"
                  onConfirm={() => void act(() => unwrap(api.calls.removeLocalService({ name: service.name })))}
                >
                  Remove
                </ConfirmButton>
              ),
            ],
          }))}
        />
      )}
    </PageFrame>
  );
}
