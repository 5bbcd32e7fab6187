/**
 * What crosses the border between Python and the browser: the traits of each component, and the
 * messages that it sends and gets. A test compares the names with the classes in Python.
 */

/** What a component may do with its widget in Python; anywidget gives it. */
export interface Model<Traits, Sent = never, Received = never> {
	get<Name extends keyof Traits>(name: Name): Traits[Name];
	set<Name extends keyof Traits>(name: Name, value: Traits[Name]): void;
	save_changes(): void;
	send(message: Sent): void;
	on(event: "msg:custom", callback: (message: Received) => void): void;
	/** `change`, or one or more of `change:<trait>` with spaces between them. */
	on(event: "change" | Change<keyof Traits & string>, callback: () => void): void;
}

type One<Name extends string> = `change:${Name}`;
type Change<Name extends string> = One<Name> | `${One<Name>} change:${string}`;

/** What a component's functions get. */
export interface Context<Traits, Sent = never, Received = never> {
	model: Model<Traits, Sent, Received>;
	el: HTMLElement;
}

/**
 * A component as anywidget knows it. Which traits its context has, only its own module knows.
 * Both functions may return one that undoes what they did outside the component's element.
 */
export interface Component {
	/** Runs once for each widget, shown or not. */
	initialize?: (context: never) => unknown;
	/** Runs for each place where the widget is shown. */
	render: (context: never) => unknown;
}

/** A component, or what makes one for each widget that keeps something in the page. */
export type Definition = Component | (() => Component);

/** What every component has besides its own traits: which one it is, and where its code is. */
export interface CommonTraits {
	_module: string;
	/** `IPY_MODEL_` and the id of a `Library`. */
	_library: string;
}

/** `Library` in Python: a widget without a view that brings the code of all components. */
export interface LibraryTraits {
	script: string;
	styles: string;
}

/** The built module that a library carries. */
export interface LibraryModule {
	make(name: string): Component;
	addStyles(styles: string): void;
}

/** The widget of a library, to which its module is tied once it is loaded. */
export interface LibraryModel {
	get<Name extends keyof LibraryTraits>(name: Name): LibraryTraits[Name];
	componentModule?: Promise<LibraryModule>;
}

/** What the loader of a component gets; the manager finds the library. */
export interface LoaderContext {
	model: Pick<Model<CommonTraits>, "get"> & {
		widget_manager: { get_model(id: string): Promise<LibraryModel> };
	};
}

export type StatusState = "ok" | "warning" | "error" | "busy" | "off" | "info" | "unknown";

/** A message that says only what it is. */
export interface Signal<Type extends string> {
	type: Type;
}

// Age
export interface AgeTraits {
	word: string;
	/** Seconds since 1970, or 0. */
	at: number;
}

// TransferBars
export interface BarsTraits {
	bars: Bar[];
}

export interface Bar {
	label: string;
	/** Between 0 and 1; `null` where the whole is not known. */
	share: number | null;
	text: string;
	state: "running" | "done" | "failed";
}

// Chart
export interface ChartTraits {
	label: string;
	unit: string;
	/** Seconds since 1970, and the value then. */
	points: [number, number][];
	since: number;
	until: number;
	/** What stands below each bar, where the points are no times. */
	steps: string[];
	marked: number;
	words: string;
}

// Checklist
export interface ChecklistTraits {
	label: string;
	summary: string;
	/** Seconds since 1970, or 0. */
	checked_at: number;
	rows: CheckRow[];
}

export interface CheckRow {
	id: string;
	title: string;
	purpose: string;
	state: StatusState;
	word: string;
	text: string;
	detail: string;
	advice: string;
	command: string;
	link_text: string;
	link_url: string;
	action_label: string;
	busy: string;
	problem: string;
}

export interface ChecklistSent {
	type: "action";
	row: string;
}

// CopyText
export interface CopyTextTraits {
	text: string;
	label: string;
}

// DetailList
export interface DetailsTraits {
	items: Detail[];
}

export interface Detail {
	label: string;
	value: string;
	href: string;
	state: StatusState | null;
	code: boolean;
	copy: boolean;
	note: string;
	wide: boolean;
}

// FormBase
export interface FormBaseTraits {
	fields: FieldSpec[];
	submit_label: string;
	live: boolean;
	busy: string;
	/** Field key → what is wrong with it. */
	errors: Record<string, string>;
	error: string;
	/** Field key → a quiet remark. */
	hints: Record<string, string>;
	/** Only forms in the page have these: see `FormTraits`. */
	done?: string;
	folded?: Record<string, string>;
	advanced?: string;
	/** How often the form was started over. */
	starts?: number;
	draft?: string;
	/** Regular expression of texts with a secret: they are not kept. */
	secret?: string;
}

export type FormValue = string | boolean | number | string[] | string[][] | null;
export type FormValues = Record<string, FormValue>;

export type FormBaseSent =
	/** At: when it was sent, in milliseconds since 1970. */
	{ type: "submit" | "input" | "check"; at: number; values: FormValues } | Signal<"cancel">;
export type FormBaseReceived =
	/** Known: when the last message was sent that Python had taken. */
	{ type: "fill"; known: number; values: FormValues } | Signal<"forget">;

// Field
export interface FieldSpec {
	key: string;
	label: string;
	kind:
		| "text"
		| "password"
		| "select"
		| "cards"
		| "checkbox"
		| "textarea"
		| "number"
		| "datetime"
		| "rows"
		| "pairs";
	help: string;
	required: boolean;
	value: FormValue;
	options: Option[];
	suggestions: Option[];
	pattern: string;
	pattern_help: string;
	placeholder: string;
	/** Characters; 0 for no limit. */
	max_length: number;
	minimum: number | null;
	maximum: number | null;
	step: number | null;
	group: string;
	/** Whether its card stands behind the line "Advanced". */
	is_advanced: boolean;
	/** Key of another field, and the value of it with which this one is shown. */
	show_when: [string, string] | null;
	default: FormValue;
	is_long: boolean;
	columns: string[];
	add_label: string;
}

// Option
export interface Option {
	value: string;
	label: string;
	description: string;
}

/** A field in the page. */
export interface FormField {
	key: string;
	spec: FieldSpec;
	element: HTMLElement;
	read(): FormValue;
	write(value: FormValue): void;
	/** Why its value can't be sent; empty when it can. */
	problem(): string;
	setError(text: string): void;
	setHint(text: string): void;
	focus(): void;
	/** Show other help and suggestions; not all kinds can. */
	advise?(spec: FieldSpec): void;
}

/** A field in a form: it knows what it held when nobody had touched it. */
export interface PlacedField extends FormField {
	untouched: string;
	/** Show the way back to the default, or hide it. */
	drawRestore(): void;
}

// Form
export interface FormTraits extends FormBaseTraits {
	label: string;
	cancel_label: string;
	check_label: string;
	/** Group → what it holds, in a line. */
	folded: Record<string, string>;
	/** What stands under "Advanced", in a line. */
	advanced: string;
	done: string;
	/** What the form is about, where what is typed is kept; empty where it is not. */
	draft: string;
	starts: number;
	secret: string;
}

// FormDialog
export interface DialogTraits extends FormBaseTraits {
	title: string;
	text: string;
	changes: { label: string; removed: string[]; added: string[] }[];
	command: string;
	danger: boolean;
	wide: boolean;
	shown: boolean;
}

// FileProgress
export interface FilesTraits {
	label: string;
}

export interface FileRow {
	name: string;
	/** Bytes. */
	total: number;
	bytes: number;
	state: "waiting" | "active" | "verifying" | "stopped" | "done" | "skipped" | "failed";
	error: string;
}

export type FilesSent = Signal<"ready">;
export interface FilesReceived {
	type: "reset" | "change";
	files: FileRow[];
}

// ConnectionGuard
export interface GuardTraits {
	period_ms: number;
	limit_ms: number;
	text: string;
	grey_ms: number;
	away_ms: number;
	away_text: string;
	ended_text: string;
	signed_out_text: string;
}

/** What our own page says of its websocket: `llm-connection` on the document. */
export type ConnectionState = "open" | "away" | "ended" | "signed-out";

export type GuardSent = Signal<"ping" | "hidden" | "shown">;
export type GuardReceived = Signal<"pong">;

// Header
export interface HeaderTraits {
	product: string;
	project: string;
	mark: string;
	docs_url: string;
	user: string;
}

/** The project has been pressed. */
export type HeaderSent = Signal<"project">;

// MemoryBar
export interface MemoryTraits {
	label: string;
	/** Bytes. */
	total: number;
	parts: { label: string; bytes: number; why: string }[];
}

// Notice
export interface NoticeTraits {
	kind: "info" | "success" | "warning" | "error";
	text: string;
	detail: string;
	command: string;
	link_text: string;
	link_url: string;
	action_label: string;
}

export type NoticeSent = Signal<"action">;

// InSight
export type InSightTraits = Record<never, never>;

// Address
export interface AddressTraits {
	place: string;
	title: string;
	replaces: boolean;
	heard: number;
	is_used: boolean;
}

export type AddressSent = { type: "went"; address: string; number: number };

// BrowserStorage
export interface StorageTraits {
	key: string;
	version: number;
	value: Record<string, unknown>;
	ready: boolean;
}

export type StorageSent = { type: "saved"; value: unknown } | Signal<"refused">;

// Stream
export interface StreamTraits {
	label: string;
	placeholder: string;
	/** CSS length. */
	height: string;
	max_items: number;
}

export interface StreamItem {
	text: string;
	kind: string;
	label: string;
}

export type StreamSent = Signal<"ready">;
export type StreamReceived = { type: "reset" | "append" | "prepend"; items: StreamItem[] };

// Transcript
export interface TranscriptTraits {
	label: string;
	placeholder: string;
	busy: boolean;
	/** What is waited for; empty for nothing. */
	waiting: string;
	/** For how many seconds; 0 is not shown. */
	waited: number;
	/** Name under which the browser keeps the chat; empty for not at all. */
	kept_as: string;
	/** Regular expression of texts with a secret. */
	secret: string;
}

export interface ChatTurn {
	role: "user" | "assistant";
	text: string;
	thought: string;
	note: string;
	/** Calls of tools, one in each line; empty for none. */
	calls: string;
	/** A picture as the address of its own bytes; empty for none. */
	image: string;
}

export type TranscriptSent =
	/** The turns that the browser has kept. */
	{ type: "ready"; turns: ChatTurn[] } | Signal<"regenerate">;
export type TranscriptReceived =
	| { type: "turns"; from: number; turns: ChatTurn[] }
	| { type: "extend"; text: string; thought: string };

// Composer
export interface ComposerTraits {
	placeholder: string;
	busy: boolean;
	settings: ChatSettings;
	thinking: boolean;
	/** How often a person came to write. */
	called: number;
}

export interface ChatSettings {
	system: string;
	temperature: number | null;
	max_tokens: number | null;
	/** "on", "off", or empty for the model's own way. */
	thinking: string;
	/** JSON; empty for none. */
	tools: string;
}

export type ComposerSent = { type: "ask"; text: string } | Signal<"stop" | "fresh">;

// FilePicker
export interface PickerTraits {
	label: string;
	accept: string[];
	most: number;
	picked: string;
	problem: string;
}

export type PickerSent =
	| { type: "part"; name: string; kind: string; index: number; count: number; data: string }
	| Signal<"clear">;

// DataTable
export interface TableTraits {
	caption: string;
	columns: Column[];
	actions: Action[];
	/** What can be done with several rows at once. */
	bulk: Action[];
	/** Ids of the rows that are chosen. */
	selected: string[];
	/** Keys of columns. */
	hidden_columns: string[];
	rows: Row[];
	empty: string;
	empty_action: string;
	loading: boolean;
	filterable: boolean;
}

export type TableSent =
	| { type: "action"; action: string; row: string }
	| { type: "bulk"; action: string; rows: string[] }
	| Signal<"empty_action">;

// Column
export interface Column {
	key: string;
	label: string;
	kind: CellKind;
	sortable: boolean;
	action: string;
	/** Per cent of the table's width; 0 for none of its own. */
	width: number;
	/** Whether it can be hidden. */
	optional: boolean;
}

export type CellKind =
	| "text"
	| "word"
	| "status"
	| "link"
	| "code"
	| "bytes"
	| "number"
	| "time"
	| "progress";

// Action
export interface Action {
	key: string;
	label: string;
	overflow: boolean;
	danger: boolean;
}

/** What a cell holds: words or a number, or more of what its kind of column knows. */
export type CellValue = string | number | boolean | null | undefined | CellParts;

export interface CellParts {
	text?: string;
	note?: string;
	state?: StatusState;
	href?: string;
	copy?: boolean;
	time?: string;
	value?: number;
}

/** A row: what is known of each, and one value for each column by its key. */
export interface Row {
	id: string;
	name?: string;
	/** Action key → why it can't be used now. */
	disabled?: Record<string, string>;
	hidden?: string[];
	/** Action key of a column → the address of the place that it opens. */
	places?: Record<string, string>;
	/** Action key → the page that it opens. */
	links?: Record<string, string>;
	[column: string]: unknown;
}

// TabRoles
export interface TabsTraits {
	tab_class: string;
	label: string;
}

/** The tab that is shown has been pressed. */
export type TabsSent = Signal<"again">;

// Toasts
export type ToastsTraits = Record<never, never>;

export interface ToastsReceived {
	type: "toast";
	kind: "info" | "success" | "error";
	text: string;
	/** Words and address. */
	link: [string, string] | null;
}
