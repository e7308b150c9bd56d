/** The part of the WebExtension interface that this extension uses, and no more. */
declare namespace chrome {
  interface Told<A extends unknown[]> {
    addListener(listener: (...told: A) => unknown): void;
  }
  namespace runtime {
    interface Sender {
      id?: string;
      url?: string;
      frameId?: number;
      tab?: { id?: number };
    }
    interface Port {
      name: string;
      sender?: Sender;
      postMessage(message: unknown): void;
      disconnect(): void;
      onMessage: Told<[message: unknown]>;
      onDisconnect: Told<[port: Port]>;
    }
    /** Undefined in a page whose extension was removed, switched off or updated. */
    const id: string | undefined;
    const lastError: { message?: string } | undefined;
    function getURL(path: string): string;
    function connect(how: { name: string }): Port;
    function sendMessage(message: unknown): Promise<unknown>;
    const onConnect: Told<[port: Port]>;
    const onInstalled: Told<[]>;
    const onStartup: Told<[]>;
    const onMessage: {
      addListener(
        listener: (message: unknown, sender: Sender, answer: (value: unknown) => void) => boolean | void,
      ): void;
    };
  }
  namespace permissions {
    interface Asked {
      origins?: string[];
    }
    function request(asked: Asked): Promise<boolean>;
    function contains(asked: Asked): Promise<boolean>;
    function remove(asked: Asked): Promise<boolean>;
    const onAdded: Told<[]>;
    const onRemoved: Told<[]>;
  }
  namespace scripting {
    interface Script {
      id: string;
      matches?: string[];
      js?: string[];
      runAt?: "document_start";
      allFrames?: boolean;
      persistAcrossSessions?: boolean;
    }
    function registerContentScripts(scripts: Script[]): Promise<void>;
    function unregisterContentScripts(filter: { ids: string[] }): Promise<void>;
    function getRegisteredContentScripts(): Promise<Script[]>;
  }
  namespace tabs {
    function query(which: { url: string[] }): Promise<{ id?: number }[]>;
    function sendMessage(tab: number, message: unknown, to: { frameId: 0 }): Promise<unknown>;
  }
  namespace action {
    function setBadgeText(what: { text: string; tabId: number }): Promise<void>;
    function setBadgeBackgroundColor(what: { color: string; tabId: number }): Promise<void>;
    function setBadgeTextColor(what: { color: string; tabId: number }): Promise<void>;
    function setTitle(what: { title: string; tabId: number }): Promise<void>;
  }
  namespace alarms {
    function create(name: string, when: { periodInMinutes: number }): Promise<void>;
    function clear(name: string): Promise<boolean>;
    function get(name: string): Promise<unknown>;
    const onAlarm: Told<[]>;
  }
  namespace i18n {
    function getUILanguage(): string;
  }
  namespace storage {
    const managed: { get(keys: null): Promise<Record<string, unknown>> };
    /** In memory only; in Firefox not for content scripts. */
    const session:
      | undefined
      | {
          get(keys: null): Promise<Record<string, unknown>>;
          set(values: Record<string, unknown>): Promise<void>;
          remove(key: string): Promise<void>;
          clear(): Promise<void>;
          setAccessLevel?(level: { accessLevel: "TRUSTED_AND_UNTRUSTED_CONTEXTS" }): Promise<void>;
        };
    const onChanged: Told<[changes: unknown, area: string]>;
  }
}
