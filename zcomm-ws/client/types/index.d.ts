// The types of the package. `M` names the models: `new BifrostClient<{ users: User }>(url)`.

/** Any model, for those who name none. */
export type AnyModels = Record<string, Record<string, any>>;

type Name<M> = Extract<keyof M, string>;
type Scalar = string | number | boolean;
type Lookup =
  | 'exact' | 'iexact' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'nin' | 'contains' | 'icontains'
  | 'startswith' | 'istartswith' | 'endswith' | 'iendswith' | 'isnull' | 'range';

/** Conditions, all of which must hold: `{active: true, age__gte: 18}`. */
export type Filter<Row> =
  & { [F in Extract<keyof Row, string>]?: Row[F] | null }
  & { [F in `${Extract<keyof Row, string>}__${Lookup}`]?: unknown }
  & { and?: Filter<Row>[]; or?: Filter<Row>[]; not?: Filter<Row> };

/** How long to wait for one answer, and what ends the waiting. */
export interface Waiting {
  /** Milliseconds; the client's `timeout` if not given. */
  timeout?: number;
  signal?: AbortSignal;
}

export interface ReadOptions<Row = any> extends Waiting {
  where?: Filter<Row> | Scalar | null;
  filters?: Filter<Row>;
  fields?: Extract<keyof Row, string>[];
  order_by?: string | string[];
  limit?: number;
  offset?: number;
  /** The `next` of the page before. */
  after?: string;
  cache_ttl?: number;
  no_cache?: boolean;
  big_ints?: 'string';
}

export interface CreateOptions extends Waiting {
  /** The same key again answers what the first answered. Lets a create wait for a lost connection. */
  idempotency_key?: string;
}

export interface WriteOptions extends Waiting {
  /** Needed to change or delete every row of a model. */
  all?: boolean;
  /** Only count. */
  dry_run?: boolean;
}

/** Rows, with what the server said about them. */
export type Rows<Row> = Row[] & {
  /** Whether rows were left off. */
  readonly more?: boolean;
  /** Where they go on: the option `after` of the next read. */
  readonly next?: string;
  readonly cached?: boolean;
};

export interface ConnectionInfo {
  server_version?: string;
  protocol?: string;
  features?: string[];
  auth?: { authenticated: boolean; context: string | null; user: string | null; role: string | null; roles: string[] };
  session_id?: string;
  limits?: Record<string, number>;
  available_models?: string[];
  [more: string]: unknown;
}

export interface Field {
  name: string;
  type: 'int' | 'str' | 'float' | 'bool' | 'date' | 'datetime' | 'blob' | 'decimal' | 'uuid' | 'json' | (string & {});
  required?: boolean;
  unique?: boolean;
  primary_key?: boolean;
  default?: unknown;
  choices?: unknown[];
  [more: string]: unknown;
}

export interface Schema {
  model: string;
  fields: Field[];
  primary_key: string;
  relations: { field: string; model: string; target: string }[];
  operations?: string[];
}

export interface Change<Row = any> {
  event: 'change';
  subscription: unknown;
  seq: number;
  model: string;
  op: 'enter' | 'change' | 'leave';
  id: any;
  row?: Row;
}

export interface SubscribeOptions<Row = any> {
  /** Ask for the rows as they are now, too. */
  snapshot?: boolean;
  onChange?: (change: Change<Row>, subscription: Subscription<Row>) => unknown;
  /** Gets all rows: at the start if asked for, and whenever changes were missed. */
  onSnapshot?: (rows: Row[], subscription: Subscription<Row>) => unknown;
}

export interface Subscription<Row = any> {
  readonly id: unknown;
  readonly seq: number | undefined;
  readonly model: string | undefined;
  readonly topic: string | undefined;
  /** The rows of the last snapshot. */
  readonly rows: Row[] | undefined;
  unsubscribe(): Promise<void>;
}

export interface InputRequest {
  event: 'input_request';
  requestId: string;
  type: 'text' | 'password' | 'confirm' | 'choice' | 'form';
  prompt: string;
  options?: unknown[];
  default?: unknown;
  timeout_ms?: number;
}

export interface Hooks {
  /** Before each attempt to connect. */
  onConnecting?: (address: string) => unknown;
  /** Whenever the server has spoken for the first time on a connection. */
  onConnected?: (info: ConnectionInfo) => unknown;
  onDisconnected?: (ending: { code: number; reason: string; willReconnect: boolean }) => unknown;
  /** Every message. */
  onMessage?: (message: any) => unknown;
  /** What came unasked, and is for no subscription. */
  onBroadcast?: (message: any) => unknown;
  /** In place of the client's own dialogs. */
  onDisplay?: (data: any) => unknown;
  /** In place of the client's own dialogs. What it returns is the answer; nothing: `sendInputResponse` follows. */
  onInput?: (request: InputRequest) => unknown;
  /** Errors that no promise carries, those of other hooks among them. */
  onError?: (error: Error) => unknown;
}

export interface ClientOptions {
  /** A token, or a function that is asked for one before each attempt. */
  token?: string | null | (() => string | null | Promise<string | null>);
  /** Come back after a loss, when the close code allows it. Default: true. */
  autoReconnect?: boolean;
  /** The span of the first wait in milliseconds; it doubles up to 20 s. Default: 500. */
  reconnectDelay?: number;
  /** How long a request, and the way to the first message, may take, in milliseconds. Default: 30000. */
  timeout?: number;
  /** Print messages on the console, without tokens. Default: false. */
  debug?: boolean;
  hooks?: Hooks;
  /** Load the style sheet with the first thing drawn; or the name of a theme. Default: true. */
  autoTheme?: boolean | 'auto' | 'light' | 'dark';
  /** Answer identical reads from memory until something changes. Default: false. */
  cache?: boolean;
  /** The class of sockets. Default: the environment's. */
  WebSocket?: new (...args: any[]) => any;
}

export interface Column { name: string; label?: string }

export interface TableOptions<Row = any> {
  caption?: string;
  columns?: (string | Column)[];
  /** The field that names a row. Default: the model's primary key. */
  key?: string;
  pageSize?: number;
  /** Follow changes. Default: true, where the rows are those of a model. */
  live?: boolean;
  where?: Filter<Row>;
  order_by?: string | string[];
  actions?: { label: string; run: (row: Row) => unknown }[];
}

export interface Table {
  readonly element: HTMLElement;
  refresh(): Promise<void>;
  close(): void;
}

export interface FormOptions {
  /** The row as it is; with its key, the form changes that row. */
  values?: Record<string, any>;
  /** In place of `create` and `update`. */
  onSubmit?: (values: Record<string, any>) => unknown;
  /** After it went well. */
  onDone?: (result: any) => unknown;
  submit?: string;
}

export interface MessageOptions { level?: 'info' | 'success' | 'warning' | 'error' | (string & {}); title?: string; timeout?: number }

/** A request that failed. */
export class BifrostError extends Error {
  constructor(code: string, message: string, details?: Record<string, unknown>);
  /** The server's code, or `timeout`, `queue_full`, `invalid_json`. */
  code: string;
  details: Record<string, unknown>;
}

/** The connection is not there: `not_connected`, `connection_failed`, `connection_lost`, `refused`, `disconnected`. */
export class ConnectionError extends BifrostError {
  closeCode: number | undefined;
  reason: string | undefined;
}

export class BifrostClient<M extends object = AnyModels> {
  constructor(url?: string | URL | null, options?: ClientOptions);
  constructor(url: string | URL | null | undefined, token: string | null | undefined, options?: ClientOptions);

  readonly options: Omit<Required<ClientOptions>, 'token' | 'hooks'>;

  connect(): Promise<ConnectionInfo>;
  disconnect(): void;
  isConnected(): boolean;
  authenticate(token: string): Promise<ConnectionInfo['auth']>;
  connectionInfo(): Promise<ConnectionInfo>;
  ping(): Promise<'pong'>;

  create<K extends Name<M>>(model: K, values: Partial<M[K]>, options?: CreateOptions): Promise<M[K]>;
  create<K extends Name<M>>(model: K, values: Partial<M[K]>[], options?: CreateOptions): Promise<M[K][]>;
  read<K extends Name<M>>(model: K, key: Scalar, options?: ReadOptions<M[K]>): Promise<M[K] | null>;
  read<K extends Name<M>>(model: K, filter?: Filter<M[K]> | null, options?: ReadOptions<M[K]>): Promise<Rows<M[K]>>;
  read<K extends Name<M>>(model: K, options: ReadOptions<M[K]>): Promise<Rows<M[K]>>;
  update<K extends Name<M>>(model: K, key: Scalar, values: Partial<M[K]>, options?: WriteOptions): Promise<M[K]>;
  update<K extends Name<M>>(
    model: K, filter: Filter<M[K]>, values: Partial<M[K]>, options?: WriteOptions,
  ): Promise<M[K] | { updated: number }>;
  delete<K extends Name<M>>(
    model: K, filter: Scalar | Filter<M[K]>, options?: WriteOptions,
  ): Promise<{ deleted: number; id?: any }>;
  upsert<K extends Name<M>>(
    model: K, values: Partial<M[K]>, conflictFields?: Extract<keyof M[K], string>[], options?: Waiting,
  ): Promise<M[K]>;

  zFunc<R = any>(call: string, ...args: unknown[]): Promise<R>;
  zLink(path: string): Promise<{ path: string; url: string; model?: string }>;
  zOpen(path: string): Promise<{ path: string; mime: string; encoding: 'utf-8' | 'base64'; content: string; size: number }>;
  send<R = any>(payload: Record<string, any>, how?: number | Waiting): Promise<R>;
  sendInputResponse(requestId: string, value: unknown): void;

  subscribe<K extends Name<M>>(
    model: K, where?: Filter<M[K]> | null, options?: SubscribeOptions<M[K]>,
  ): Promise<Subscription<M[K]>>;
  unsubscribe(subscription: Subscription | unknown): Promise<void>;
  join<D = any>(topic: string, onMessage?: (data: D, message: any) => unknown): Promise<Subscription>;
  publish(topic: string, data: unknown): Promise<number>;
  onBroadcast(listener: (message: any) => unknown): void;
  removeBroadcastListener(listener: (message: any) => unknown): void;
  /** Calls whenever the connection is back; returns what stops that. */
  onReconnect(listener: (info: ConnectionInfo) => unknown): () => void;
  registerHook<H extends keyof Hooks>(name: H, hook: NonNullable<Hooks[H]>): void;
  unregisterHook(name: keyof Hooks): boolean;
  listHooks(): string[];

  discover(): Promise<{ schemas: { name: string; operations: string[] }[]; operations: string[] }>;
  introspect(model?: Name<M>): Promise<any>;
  getSchema(model: string): Promise<Schema>;
  cacheStats(): Promise<{ client: { hits: number; misses: number; entries: number }; [more: string]: any }>;
  clearCache(scope?: 'all'): Promise<{ result: string; stats?: any }>;
  setCacheTTL(seconds: number, scope?: 'all'): Promise<string>;

  renderTable<Row = any>(rows: Row[] | Name<M>, container: string | Element, options?: TableOptions<Row>): Promise<Table>;
  renderMenu(
    items: (string | { label: string; value?: any; description?: string })[], container: string | Element,
    onSelect?: ((value: any, item: any) => unknown) | { onSelect?: (value: any, item: any) => unknown; label?: string },
  ): Promise<HTMLElement>;
  renderForm(
    schema: Name<M> | Schema | Partial<Field>[], container: string | Element, options?: FormOptions,
  ): Promise<HTMLFormElement>;
  renderMessage(
    message: string | ({ text: string } & MessageOptions), container?: string | Element | null, options?: MessageOptions,
  ): Promise<HTMLElement>;
  /** `auto`, `light`, `dark`, or the address of a style sheet. */
  loadTheme(theme?: string): Promise<boolean>;
}

/** The second historic name of the client. */
export { BifrostClient as zBifrost };

/** A client that is connected. */
export function createClient<M extends object = AnyModels>(
  url?: string | URL | null, options?: ClientOptions,
): Promise<BifrostClient<M>>;
export function createClient<M extends object = AnyModels>(
  url: string | URL | null | undefined, token: string | null | undefined, options?: ClientOptions,
): Promise<BifrostClient<M>>;
