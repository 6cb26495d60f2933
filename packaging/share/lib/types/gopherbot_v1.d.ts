// What editors know of the Robot API for extensions in JavaScript. Nothing runs this file: name it in `files` of
// jsconfig.json, and `require("gopherbot_v1")` is understood.

declare module "gopherbot_v1" {
  /** Names and numbers; `string` tells the name of a number. */
  interface Named {
    string(number: number): string;
  }

  /** What most methods return. */
  interface Ret extends Named {
    readonly Ok: 0;
    readonly UserNotFound: 1;
    readonly ChannelNotFound: 2;
    readonly AttributeNotFound: 3;
    readonly FailedMessageSend: 4;
    readonly FailedChannelJoin: 5;
    readonly DatumNotFound: 6;
    readonly DatumLockExpired: 7;
    readonly DataFormatError: 8;
    readonly BrainFailed: 9;
    readonly InvalidDatumKey: 10;
    readonly InvalidConfigPointer: 11;
    readonly ConfigUnmarshalError: 12;
    readonly NoConfigFound: 13;
    readonly RetryPrompt: 14;
    readonly ReplyNotMatched: 15;
    readonly UseDefaultValue: 16;
    readonly TimeoutExpired: 17;
    readonly Interrupted: 18;
    readonly MatcherNotFound: 19;
    readonly NoUserEmail: 20;
    readonly NoBotEmail: 21;
    readonly MailError: 22;
    readonly TaskNotFound: 23;
    readonly MissingArguments: 24;
    readonly InvalidStage: 25;
    readonly InvalidTaskType: 26;
    readonly CommandNotMatched: 27;
    readonly TaskDisabled: 28;
    readonly PrivilegeViolation: 29;
    readonly IdentityProviderNotFound: 30;
    readonly IdentityNotLinked: 31;
    readonly IdentityReauthRequired: 32;
    readonly IdentityRefreshFailed: 33;
    readonly IdentityInvalidLinkRequest: 34;
    readonly IdentityConfigError: 35;
    readonly Failed: 63;
  }

  /** What an extension ends with. */
  interface Task extends Named {
    readonly Normal: 0;
    readonly Fail: 1;
    readonly MechanismFail: 2;
    readonly ConfigurationError: 3;
    readonly PipelineAborted: 4;
    readonly RobotStopping: 5;
    readonly NotFound: 6;
    readonly Success: 7;
  }

  /** Levels of `Log`. */
  interface Log extends Named {
    readonly Trace: 0;
    readonly Debug: 1;
    readonly Info: 2;
    readonly Audit: 3;
    readonly Warn: 4;
    readonly Error: 5;
    readonly Fatal: 6;
  }

  /** Formats of messages. */
  interface Fmt extends Named {
    readonly Raw: 0;
    readonly Fixed: 1;
    readonly Variable: 2;
    readonly BasicMarkdown: 3;
  }

  /** Chat services; `protocol` of a robot is the name in lower case. */
  interface Proto extends Named {
    readonly Slack: 0;
    readonly GoogleChat: 1;
    readonly Rocket: 2;
    readonly Terminal: 3;
    readonly Test: 4;
    readonly Null: 5;
    readonly SSH: 6;
  }

  /** An answer; it counts if `retVal` is `ret.Ok`. */
  interface Reply {
    reply: string;
    retVal: number;
  }

  /** A value, and whether there is one. */
  interface Attribute {
    attribute: string;
    retVal: number;
  }

  /** What is remembered under a key. */
  interface Memory {
    key: string;
    exists: boolean;
    datum: any;
    token: string;
    retVal: number;
  }

  /** What is sent along with requests in a user's name. */
  interface Credential {
    type: string;
    value: string;
    scheme: string;
    headerName: string;
    headerValue: string;
    expiresAt: string;
    metadata: any;
  }

  /** The tokens of a user. */
  interface OAuth2Link {
    Provider: string;
    User: string;
    AccessToken: string;
    RefreshToken?: string;
    TokenType?: string;
    Scope?: string[];
    ExpiresIn?: number;
    ExpiresAt?: string;
    RefreshExpiresIn?: number;
    RefreshExpiresAt?: string;
    GrantType?: string;
    SubjectID?: string;
    SubjectLogin?: string;
    SubjectName?: string;
    SubjectEmail?: string;
  }

  /** The robot of a run. */
  class Robot {
    /** The robot of this run if none is given. */
    constructor(gbot?: object);

    /** Who gave the command; empty if nobody did. */
    readonly user: string;
    /** Without brackets, as every id here. */
    readonly user_id: string;
    /** Empty in a direct message. */
    readonly channel: string;
    readonly channel_id: string;
    readonly thread_id: string;
    readonly message_id: string;
    /** The chat service, in lower case. */
    readonly protocol: string;
    readonly brain: string;
    /** The message stands in a thread. */
    readonly threaded_message: boolean;
    readonly type: string;

    /** A robot that speaks to the user alone. */
    Direct(): Robot;
    /** A robot that speaks in the thread of the message. */
    Threaded(): Robot;
    /** A robot that speaks in a fixed-width font. */
    Fixed(): Robot;
    /** A robot that speaks in another format, one of `fmt`. */
    MessageFormat(format: number): Robot;

    // Messages

    /** Says something where the message came from. */
    Say(text: string, format?: number): number;
    /** Says something to the user, where the message came from. */
    Reply(text: string, format?: number): number;
    /** Says something in the thread of the message. */
    SayThread(text: string, format?: number): number;
    /** Says something to the user, in the thread of the message. */
    ReplyThread(text: string, format?: number): number;
    /** Says something in a channel. */
    SendChannelMessage(channel: string, text: string, format?: number): number;
    /** Says something in a thread of a channel. */
    SendChannelThreadMessage(channel: string, thread: string, text: string, format?: number): number;
    /** Sends a direct message. */
    SendUserMessage(user: string, text: string, format?: number): number;
    /** Says something to somebody in a channel. */
    SendUserChannelMessage(user: string, channel: string, text: string, format?: number): number;
    /** Says something to somebody in a thread of a channel. */
    SendUserChannelThreadMessage(user: string, channel: string, thread: string, text: string, format?: number): number;
    /** Speaks through another chat service; the user or the channel may be empty. */
    SendProtocolUserChannelMessage(protocol: string, user: string, channel: string, text: string, format?: number): number;

    // Prompts

    /** Asks the user, where the message came from. */
    PromptForReply(matcher: string, prompt: string, format?: number): Reply;
    /** Asks the user in the thread of the message. */
    PromptThreadForReply(matcher: string, prompt: string, format?: number): Reply;
    /** Asks somebody in a direct message. */
    PromptUserForReply(matcher: string, user: string, prompt: string, format?: number): Reply;
    /** Asks somebody in a channel. */
    PromptUserChannelForReply(matcher: string, user: string, channel: string, prompt: string, format?: number): Reply;
    /** Asks somebody in a thread of a channel. */
    PromptUserChannelThreadForReply(matcher: string, user: string, channel: string, thread: string, prompt: string, format?: number): Reply;

    // Rights and identity

    /** Whether the user is an administrator. */
    CheckAdmin(): boolean;
    /** Takes all further messages of this thread. */
    Subscribe(): boolean;
    /** No longer takes the messages of this thread. */
    Unsubscribe(): boolean;
    /** Has the user prove who they are; each time if `immediate`. */
    Elevate(immediate?: boolean): boolean;
    /** Encrypts a text for the variables files of the robot. */
    EncryptSecret(plaintext: string): { ciphertext: string; retVal: number };
    /** Mails whoever the run answers; comes back when the mail server has taken it or not. */
    Email(subject: string, body: string, html?: boolean): number;
    /** Mails a user of the roster. */
    EmailUser(user: string, subject: string, body: string, html?: boolean): number;
    /** Mails an address. */
    EmailAddress(address: string, subject: string, body: string, html?: boolean): number;
    /** What a user has linked, to be sent along with requests. */
    GetIdentityCredential(provider: string, user: string): { credential: Credential | null; retVal: number };
    /** Links a user's tokens. */
    LinkOAuth2Identity(link: OAuth2Link): number;
    /** Forgets what a user has linked. */
    UnlinkIdentity(provider: string, user: string): number;

    // Knowing

    /** An attribute of the robot. */
    GetBotAttribute(attribute: string): Attribute;
    /** An attribute of the user. */
    GetSenderAttribute(attribute: string): Attribute;
    /** An attribute of somebody. */
    GetUserAttribute(user: string, attribute: string): Attribute;
    /** The `Config` of the extension. */
    GetTaskConfig(): { config: any; retVal: number };
    /** A parameter or a value of the environment; empty if there is none. */
    GetParameter(parameter: string): string;
    /** A parameter for the steps that follow. */
    SetParameter(name: string, value: string): boolean;
    /** What the user may use, as JSON text. */
    GetHelpMetadata(query: string): string;
    /** A line in the robot's log. */
    Log(level: number | string, text: string): void;

    // Pipelines

    /** Lets one pipeline with this tag run at a time; others wait if `queue`. */
    Exclusive(tag: string, queue?: boolean): boolean;
    /** Adds a task to the pipeline. */
    AddTask(name: string, ...args: string[]): number;
    /** Adds a task that runs at the end, whatever happens. */
    FinalTask(name: string, ...args: string[]): number;
    /** Adds a task that runs if the pipeline fails. */
    FailTask(name: string, ...args: string[]): number;
    /** Adds a job to the pipeline. */
    AddJob(name: string, ...args: string[]): number;
    /** Starts a job in a pipeline of its own. */
    SpawnJob(name: string, ...args: string[]): number;
    /** Adds a command of a plugin to the pipeline. */
    AddCommand(plugin: string, command: string): number;
    /** Adds a command that runs at the end, whatever happens. */
    FinalCommand(plugin: string, command: string): number;
    /** Adds a command that runs if the pipeline fails. */
    FailCommand(plugin: string, command: string): number;
    /** Where the steps that follow run. */
    SetWorkingDirectory(path: string): boolean;

    // Memory

    /** A memory, for changing if `write`. */
    CheckoutDatum(key: string, write?: boolean): Memory;
    /** Remembers the `datum` of a memory that was checked out for changing. */
    UpdateDatum(memory: Memory): number;
    /** Gives a memory back unchanged. */
    CheckinDatum(memory: Memory): void;
    /** Forgets a memory. */
    DeleteDatum(key: string): number;
    /** Remembers for some minutes, for this user, or for everybody in the channel if `shared`. */
    Remember(key: string, value: string, shared?: boolean): void;
    /** Remembers for this thread. */
    RememberThread(key: string, value: string, shared?: boolean): void;
    /** What `it` stands for. */
    RememberContext(context: string, value: string): void;
    /** What `it` stands for in this thread. */
    RememberContextThread(context: string, value: string): void;
    /** What is remembered; empty if nothing is. */
    Recall(key: string, shared?: boolean): string;
    /** Forgets what was remembered. */
    DeleteMemory(key: string, shared?: boolean): void;

    // Chance and time

    /** Waits. */
    Pause(seconds: number): void;
    /** From 0 to below `n`. */
    RandomInt(n: number): number;
    /** One of a list; empty if that is. */
    RandomString(list: string[]): string;
  }

  interface Library {
    Robot: typeof Robot;
    ret: Ret;
    task: Task;
    log: Log;
    fmt: Fmt;
    proto: Proto;
  }

  function library(): Library;
  export = library;
}

declare module "http" {
  interface Options {
    query?: string | Record<string, unknown>;
    headers?: Record<string, string>;
    cookies?: Record<string, string>;
    /** Text, bytes, or an object that becomes JSON. */
    body?: unknown;
    form?: string;
    /** Seconds, or a text like `1m30s`. */
    timeout?: number | string;
    timeoutMs?: number;
    auth?: { user: string; pass: string };
  }

  interface Answer {
    statusCode: number;
    statusText: string;
    ok: boolean;
    url: string;
    headers: Record<string, string>;
    cookies: Record<string, string>;
    body: string;
    bodySize: number;
    /** If it came as JSON, else null. */
    json: any;
  }

  type Request = { method: string; url: string; options?: Options } | [string, string, Options?];

  function get(url: string, options?: Options): Answer;
  function post(url: string, options?: Options): Answer;
  function put(url: string, options?: Options): Answer;
  function patch(url: string, options?: Options): Answer;
  function head(url: string, options?: Options): Answer;
  function request(method: string, url: string, options?: Options): Answer;
  /** Answers, or answers and errors if there are any. */
  function requestBatch(requests: Request[]): Answer[] | [Answer[], unknown[]];
  function del(url: string, options?: Options): Answer;
  export { get, post, put, patch, head, request, requestBatch, requestBatch as request_batch, del as delete };
}

/** The robot of this run, without the library. */
declare const GBOT: any;

declare const process: { argv: string[]; exit(status?: number): never };
