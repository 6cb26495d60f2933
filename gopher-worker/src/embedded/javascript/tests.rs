//! Scripts against a robot that the test plays.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use super::*;
use crate::embedded::testing::{self, configure_at, ok};

const PATH: &str = "/robot/plugins/x.js";

fn run_at(path: &str, source: &str, args: &[&str], answer: fn(&str) -> &str) -> (Result<i32, String>, Vec<String>) {
    testing::run_at(run, path, source, args, answer)
}

fn run_with(source: &str, args: &[&str], answer: fn(&str) -> &str) -> (Result<i32, String>, Vec<String>) {
    run_at(PATH, source, args, answer)
}

/// What a script comes to that has no robot to call.
fn status(source: &str) -> Result<i32, String> {
    run_with(source, &["cmd"], ok).0
}

fn configure(source: &str) -> Result<i32, String> {
    configure_at(run, PATH, source)
}

/// What every script here may say of its expectations.
const ASSERT: &str = "function assert(holds, what) { if (!holds) throw new Error('not so: ' + what); } \
                      const same = (a, b) => assert(JSON.stringify(a) === JSON.stringify(b), JSON.stringify(a));\n";

fn checked(source: &str) -> String {
    format!("{ASSERT}{source}")
}

#[test]
fn messages_go_where_the_library_says_and_its_status_is_the_runs() {
    let source = checked(
        r#"
        const { Robot, ret, task, fmt } = require("gopherbot_v1")();
        const bot = new Robot();
        assert(bot.user === "alice" && bot.user_id === "u1" && bot.type === "native" && !bot.threaded_message, "fields");
        assert(bot.Say("a") === ret.Ok, "Say");
        bot.Say("b", fmt.BasicMarkdown);
        bot.Reply("c");
        bot.SayThread("d");
        bot.Direct().Reply("e");
        bot.Threaded().Say("f");
        bot.Fixed().SendUserMessage("bob", "g");
        bot.MessageFormat(fmt.Variable).Say("\ud83d!");
        assert(bot.channel === "general" && bot.Direct().channel === "", "Direct");
        assert(ret.string(8) === "DataFormatError" && ret.string("8") === "DataFormatError", "string");
        assert(ret.string(99) === "UnknownRetVal" && ret.string("toString") === "UnknownRetVal", "unknown");
        task.Success
        "#,
    );
    let (status, calls) = run_with(&source, &["cmd"], ok);
    assert_eq!(status, Ok(7));
    assert_eq!(
        calls,
        [
            r#"SendChannelThreadMessage  {"Channel":"general","Message":"a","Thread":""}"#,
            r#"SendChannelThreadMessage BasicMarkdown {"Channel":"general","Message":"b","Thread":""}"#,
            r#"SendUserChannelThreadMessage  {"Channel":"general","Message":"c","Thread":"","User":"alice"}"#,
            r#"SendChannelThreadMessage  {"Channel":"general","Message":"d","Thread":"t1"}"#,
            r#"SendUserMessage  {"Message":"e","User":"alice"}"#,
            r#"SendChannelThreadMessage  {"Channel":"general","Message":"f","Thread":"t1"}"#,
            r#"SendUserMessage Fixed {"Message":"g","User":"bob"}"#,
            "SendChannelThreadMessage Variable {\"Channel\":\"general\",\"Message\":\"\u{fffd}!\",\"Thread\":\"\"}",
        ]
    );
}

#[test]
fn answers_come_in_the_shapes_of_the_language() {
    let answer = |function: &str| match function {
        "GetBotAttribute" => r#"{"Attribute":"floyd","RetVal":0}"#,
        "PromptUserChannelThreadForReply" => r#"{"Reply":"","RetVal":14}"#,
        "GetTaskConfig" => r#"{"List":["a",{"B":1.5}],"__proto__":"p"}"#,
        "CheckoutDatum" => r#"{"LockToken":"abc","Exists":false,"Datum":null,"RetVal":0}"#,
        "GetIdentityCredential" => r#"{"Credential":{"header_name":"A","expires_at":""},"RetVal":0}"#,
        "EncryptSecret" => r#"{"StrVal":"xyz","RetVal":0}"#,
        "CheckAdmin" => r#"{"Boolean":true}"#,
        "Recall" => r#"{"StrVal":"tea"}"#,
        "AddTask" => r#"{"Error":"AddTask is not offered yet"}"#,
        _ => r#"{"RetVal":0}"#,
    };
    let source = checked(
        r#"
        const { Robot, ret } = require("gopherbot_v1")();
        const bot = new Robot();
        same(bot.GetBotAttribute("name"), { attribute: "floyd", retVal: ret.Ok });
        same(bot.PromptForReply("YesNo"), { reply: "", retVal: ret.Interrupted });
        const { config, retVal } = bot.GetTaskConfig();
        assert(retVal === ret.Ok && Object.getPrototypeOf(config) === Object.prototype, "config");
        same(config.List, ["a", { B: 1.5 }]);
        same(bot.EncryptSecret("s"), { ciphertext: "xyz", retVal: 0 });
        same(bot.GetIdentityCredential("p", "u"), { credential: { expiresAt: "", headerName: "A" }, retVal: 0 });
        const memory = bot.CheckoutDatum("k", true);
        same(memory, { key: "k", datum: {}, exists: false, retVal: 0, token: "abc" });
        memory.datum.list = [];
        memory.datum = { ...memory.datum, count: 3, half: 0.5, gone: undefined, none: null, when: new Date(0) };
        assert(bot.UpdateDatum(memory) === ret.Ok, "UpdateDatum");
        const loop = {};
        loop.loop = loop;
        for (const datum of [[print => print], loop, 1n, NaN, Symbol("x"), "\ud83d", ["\ud83d"], { toJSON() { throw 1; } }]) {
          assert(bot.UpdateDatum({ ...memory, datum }) === ret.DataFormatError, typeof datum);
        }
        assert(bot.CheckinDatum(memory) === undefined, "CheckinDatum");
        assert(bot.CheckAdmin() === true && bot.Recall("k") === "tea", "plain");
        assert(bot.AddTask("t", "a", 1, "b") === ret.Failed, "AddTask");
        assert(bot.Remember("k", "v") === undefined, "Remember");
        assert(bot.RandomInt(1) === 0 && bot.RandomString(["x"]) === "x" && bot.RandomString([]) === "", "random");
        "#,
    );
    let (status, calls) = run_with(&source, &["cmd"], answer);
    assert_eq!(status, Ok(0));
    let prompts: Vec<_> = calls.iter().filter(|c| c.starts_with("Prompt")).collect();
    assert_eq!(prompts.len(), 3, "asked again twice");
    assert!(prompts[0].contains(r#""Prompt":"""#), "{prompts:?}");
    let update = calls.iter().find(|c| c.starts_with("UpdateDatum")).expect("updated");
    let datum = r#"{"count":3,"half":0.5,"list":[],"none":null,"when":"1970-01-01T00:00:00.000Z"}"#;
    assert_eq!(update, &format!(r#"UpdateDatum  {{"Datum":{datum},"Key":"k","Token":"abc"}}"#));
    assert_eq!(calls.iter().filter(|c| c.starts_with("UpdateDatum")).count(), 1);
    assert!(calls.contains(&r#"AddTask  {"CmdArgs":["a","b"],"Name":"t"}"#.to_owned()), "{calls:?}");
    assert!(calls.contains(&r#"CheckinDatum  {"Key":"k","Token":"abc"}"#.to_owned()), "{calls:?}");
}

#[test]
fn mail_has_the_same_arguments_as_in_other_languages() {
    let source = checked(
        "const { Robot, ret } = require('gopherbot_v1')();\nconst bot = new Robot();\n\
         same(bot.Email('s', 'b'), ret.MailError); bot.EmailUser('bob', 's', '<p>', true);\n\
         bot.EmailAddress('a@b', '', 'b');\n0;\n",
    );
    let (status, calls) = run_with(&source, &["cmd"], |_| r#"{"RetVal":22}"#);
    assert_eq!(status, Ok(0));
    assert_eq!(
        calls,
        [
            r#"Email  {"Body":"b","HTML":false,"Subject":"s"}"#,
            r#"EmailUser  {"Body":"<p>","HTML":true,"Subject":"s","User":"bob"}"#,
            r#"EmailAddress  {"Address":"a@b","Body":"b","HTML":false,"Subject":""}"#,
        ]
    );
}

#[test]
fn a_library_that_is_forgotten_is_another_one_when_it_is_required_again() {
    let source = "const one = require('gopherbot_v1');
        if (require('gopherbot_v1') !== one) throw new Error('two');
        delete require.cache[require.resolve('gopherbot_v1')];
        require('gopherbot_v1') !== one ? require('gopherbot_v1')().task.Normal + 3 : 4";
    assert_eq!(run_with(source, &[], ok).0, Ok(3));
}

#[test]
fn every_method_is_in_the_library() {
    let names: Vec<&str> = crate::embedded::robot::methods().collect();
    let source = format!(
        "const {{ Robot }} = require('gopherbot_v1')();\n\
         {names:?}.filter((name) => !(name in Robot.prototype) || GBOT[name].name !== name).length",
    );
    assert_eq!(status(&source), Ok(0));
}

#[test]
fn mistakes_of_an_author_are_told_with_their_line() {
    for (source, expected) in [
        (
            "x = = 1",
            "compile error in 'x.js': SyntaxError: unexpected token in expression: '='\n    at /robot/plugins/x.js:1:5",
        ),
        (
            "\nlet t;\nt.x",
            "runtime error in 'x.js': TypeError: cannot read property 'x' of undefined\n    at <eval> (/robot/plugins/x.js:3:1)",
        ),
        ("undeclared = 1", "ReferenceError: undeclared is not defined"),
        ("throw 'tea'", "runtime error in 'x.js': tea"),
        ("throw { code: 5 }", "runtime error in 'x.js': {\"code\":5}"),
        ("new Function('=')", "runtime error in 'x.js': SyntaxError: "),
        ("throw new SyntaxError('mine')", "runtime error in 'x.js': SyntaxError: mine"),
        ("JSON.parse('{')", "runtime error in 'x.js': SyntaxError: "),
        ("GBOT.Say()", "Error: Say: the argument `text` (number 1) must be a text\n"),
        ("GBOT.Say(() => 1)", "Say: functions and symbols cannot be written as JSON"),
        ("\n\nGBOT.Say({ toJSON() { throw new Error('own') } })", "Error: own\n    at toJSON (/robot/plugins/x.js:3:"),
        (
            "GBOT.SendUserMessage('', 'x')",
            "SendUserMessage: the argument `user` (number 1) must be a text that is not empty",
        ),
        ("GBOT.Remember('k', '')", "Remember: the argument `value` (number 2) must be a text that is not empty"),
        ("GBOT.Pause(-1)", "Pause: the argument `seconds` (number 1) must be a number of seconds"),
        ("GBOT.UpdateDatum('k')", "UpdateDatum: the argument `memory` (number 1) must be an object with key, token"),
        ("GBOT.UpdateDatum({ key: 'k', token: '' })", "UpdateDatum: the memory has no token; check it out for writing"),
        ("GBOT.MessageFormat(9)", "MessageFormat: the format must be one of `fmt`"),
        ("GBOT.NoSuch()", "TypeError: not a function"),
        ("require('nowhere')", "Error: Cannot find module 'nowhere'"),
        ("require('')", "require: the argument `id` (number 1) must be a text that is not empty"),
        ("'x'.repeat(1 << 27)", "InternalError: out of memory\n"),
        ("const all = []; for (;;) all.push({})", "out of memory"),
        ("function f() { return 1 + f() } f()", "Maximum call stack size exceeded"),
        ("'done'", "its last value is no status but a value of type string"),
        ("({})", "its last value is no status but a value of type object"),
        ("\0", "compile error in 'x.js': it holds a NUL character"),
    ] {
        let problem = status(source).expect_err(source);
        assert!(problem.starts_with("JavaScript ") && problem.contains(expected), "{source:?}: {problem}");
    }
}

#[test]
fn the_last_value_is_the_status() {
    for (source, expected) in [
        ("", 0),
        ("null", 0),
        ("true", 0),
        ("false", 1),
        ("if (process.argv[2] === 'cmd') 7; else 1", 7),
        ("function main() { return 300 } main()", 300),
        ("(async () => { await null; return 5 })()", 5),
        ("Promise.resolve(false)", 1),
        ("let n = 0; Promise.resolve().then(() => process.exit(n)); n = 9; undefined", 9),
        ("try { process.exit(3) } catch { GBOT.Say('not this') } finally { GBOT.Say('nor this') } 4", 3),
        ("(async () => { try { process.exit() } catch {} process.exit(8) })()", 0),
        ("Promise.reject(1).catch(() => 2)", 2),
        ("const late = Promise.reject(1); Promise.resolve().then(() => late.catch(() => {})); 6", 6),
    ] {
        let (status, calls) = run_with(source, &["cmd"], ok);
        assert_eq!((status, calls.len()), (Ok(expected), 0), "{source}");
    }
    for (source, expected) in [
        ("(async () => { throw new Error('late') })()", "Error: late\n    at <anonymous> (/robot/plugins/x.js:1:"),
        ("Promise.reject('unheard'); 0", "runtime error in 'x.js': unheard"),
        ("new Promise(() => {})", "the promise it ended with is never settled"),
        ("process.exit('x')", "process.exit: the argument `code` (number 1) must be a whole number"),
    ] {
        let problem = status(source).expect_err(source);
        assert!(problem.contains(expected), "{source:?}: {problem}");
    }
}

#[test]
fn a_default_configuration_is_the_string_that_a_script_ends_with() {
    let source = "require('gopherbot_v1')(); new (require('gopherbot_v1')().Robot)().user === 'alice' ? '' : 1";
    assert_eq!(configure(source), Ok(0));
    assert_eq!(configure("Promise.resolve('')"), Ok(0));
    let none = configure("7").expect_err("no string");
    assert!(none.contains("ended with no default configuration but a number"), "{none}");
    let called = configure("GBOT.Say('x')").expect_err("no robot");
    assert!(called.contains("TypeError: not a function"), "{called}");
}

#[test]
fn the_names_of_node_are_there() {
    let source = checked(
        r#"
        same(process.argv, ["gopher-worker", "/robot/plugins/x.js", "cmd", "b"]);
        assert(require.main === module && module.exports === exports && module.filename === process.argv[1], "module");
        const loop = {};
        loop.loop = loop;
        for (const print of Object.values(console)) {
          same(print("text", 1, null, undefined, { a: [1] }, loop, Symbol("s"), new Error("e"), Object.create(null)), undefined);
        }
        assert((function () { return this })() === undefined, "strict");
        "#,
    );
    assert_eq!(run_with(&source, &["cmd", "b"], ok).0, Ok(0));
}

#[test]
fn modules_are_found_as_node_finds_them() {
    let robot = tempfile::tempdir().expect("a directory");
    let plugins = robot.path().join("plugins");
    for (path, text) in [
        ("plugins/near.js", "#!/usr/bin/env node\nexports.name = __filename; exports.up = require('../data');"),
        ("data.json", r#"{"answer": 42}"#),
        ("bad.json", "{"),
        ("plugins/even.js", "exports.done = false; exports.odd = require('./odd').seen; exports.done = true;"),
        ("plugins/odd.js", "exports.seen = require('./even.js').done;"),
        ("plugins/node_modules/own/package.json", r#"{"main": "lib/start"}"#),
        ("plugins/node_modules/own/lib/start.js", "module.exports = () => require('.') === module.exports && 'own';"),
        ("plugins/node_modules/own/lib/index.js", "module.exports = require('./start');"),
        ("plugins/wrong.js", "\nlet x = ;"),
        ("plugins/throws.js", "count = (globalThis.count ?? 0) + 1;"),
    ] {
        let path = robot.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    }
    let script = plugins.join("x.js");
    let source = checked(
        r#"
        const near = require("./near");
        assert(near === require("../plugins/near.js") && near.name.endsWith("/plugins/near.js"), "one module");
        assert(near.up.answer === 42 && near.up === require("../data.json"), "json");
        same(require("./even"), { done: true, odd: false });
        assert(require("own")() === "own", "package");
        const failed = (id) => { try { require(id); return "nothing" } catch (error) { return `${error} ${error.stack}` } };
        assert(failed("../bad").includes("bad.json: "), failed("../bad"));
        assert(failed("./wrong").includes("SyntaxError") && failed("./wrong").includes("plugins/wrong.js:2:"), failed("./wrong"));
        assert(failed("./throws").includes("ReferenceError"), failed("./throws"));
        assert(Object.keys(require.cache).length === 7, Object.keys(require.cache).join());
        "#,
    );
    let (status, _) = run_at(script.to_str().expect("text"), &source, &["cmd"], ok);
    assert_eq!(status, Ok(0));
}

/// Answers requests one after the other, and gives back what they were.
fn server(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let serving = thread::spawn(move || {
        let one = |answer: &&str| {
            let (stream, _) = listener.accept().expect("a client");
            let mut reader = BufReader::new(stream);
            let (mut asked, mut length) = (String::new(), 0);
            while !asked.ends_with("\r\n\r\n") {
                let start = asked.len();
                reader.read_line(&mut asked).expect("a line");
                if let Some(value) = asked[start..].to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("the body");
            reader.get_mut().write_all(answer.as_bytes()).expect("answered");
            asked + &String::from_utf8_lossy(&body)
        };
        answers.iter().map(one).collect()
    });
    (url, serving)
}

#[test]
fn requests_of_http_and_their_answers() {
    const PLAIN: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone";
    const JSON: &str = "HTTP/1.1 201 Created\r\nContent-Type: application/x+json; charset=utf-8\r\nSet-Cookie: a=b; Path=/\r\n\
                        X-Tea: 1\r\nX-Tea: 2\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{\"x\":1}";
    let (url, serving) = server(&[JSON, PLAIN, PLAIN, PLAIN, PLAIN]);
    let source = checked(
        &r#"
        const http = require("http");
        const options = { query: { a: "ö &", b: [1, 2], c: null }, headers: { "X-Own": "yes" }, cookies: { c: "d" },
                          body: { tea: [1] }, timeout: "10s", auth: { user: "al", pass: "pw" } };
        const made = http.post("URL/x", options);
        assert(made.ok && made.statusCode === 201 && made.statusText === "Created" && made.bodySize === 7, "status");
        assert(made.headers["x-tea"] === "1, 2" && made.cookies.a === "b" && made.json.x === 1, "headers");
        assert(made.url.startsWith("URL/x?a="), made.url);
        const none = http.get("URL/y", { query: "?q=%20", timeoutMs: 9000 });
        assert(!none.ok && none.statusCode === 404 && none.json === null && none.body === "none", "none");
        http.put("URL", { body: new Uint8Array([104, 105]), timeout: 10 });
        const [responses, errors] = http.requestBatch([
          { method: "PATCH", url: "URL/p", options: { form: "f=1" } }, ["get", "http://127.0.0.1:1/"], ["DELETE", "URL"],
        ]);
        assert(responses[0].statusCode === 404 && responses[1] === null && errors[2] === null, "batch");
        assert(errors[1] instanceof Error && errors[1].message.includes("http://127.0.0.1:1/"), errors[1]);
        for (const wrong of [["x"], ["URL", 5], ["URL", { timeout: "soon" }], ["URL", { headers: "x" }], []]) {
          let thrown = null;
          try { http.get(...wrong) } catch (error) { thrown = error }
          assert(thrown instanceof Error, JSON.stringify(wrong));
        }
        "#
        .replace("URL", &url),
    );
    assert_eq!(status(&source), Ok(0));
    let asked = serving.join().expect("served");
    for (index, parts) in [
        &[
            "POST /x?a=%C3%B6%20%26&b=1&b=2 HTTP/1.1\r\n",
            "x-own: yes",
            "cookie: c=d",
            "content-type: application/json",
            "authorization: Basic YWw6cHc=",
            "\r\n\r\n{\"tea\":[1]}",
        ][..],
        &["GET /y?q=%20 HTTP/1.1\r\n"],
        &["PUT / HTTP/1.1\r\n", "\r\n\r\nhi"],
        &["PATCH /p HTTP/1.1\r\n", "content-type: application/x-www-form-urlencoded", "\r\n\r\nf=1"],
        &["DELETE / HTTP/1.1\r\n"],
    ]
    .into_iter()
    .enumerate()
    {
        for part in parts {
            assert!(asked[index].contains(part), "{part:?} in {:?}", asked[index]);
        }
    }
}

#[test]
fn any_json_is_converted_and_back() {
    let runtime = Runtime::new().expect("a runtime");
    let context = Context::full(&runtime).expect("a context");
    context.with(|ctx| {
        for text in ["null", "[]", "[[],{}]", "{\"a\":{\"b\":[1,2.5,\"x\",true]}}", "\"\\u0000\"", "{\"__proto__\":1}"]
        {
            let json: serde_json::Value = serde_json::from_str(text).expect(text);
            let value = convert::to_js(&ctx, &json).expect(text);
            assert_eq!(convert::to_json(&value).expect(text), json);
        }
        let deep: Value<'_> = ctx.eval("let t = []; for (let i = 0; i < 1000; i++) t = [t]; t").expect("a list");
        let problem = convert::to_json(&deep).expect_err("too deep").to_string();
        assert_eq!(problem, "an object stands in itself, or objects lie too deep in each other");
        for half in [r"'\ud83d'", r"({ a: ['\ud83d'] })", r"({ '\ud83d': 1 })"] {
            let half: Value<'_> = ctx.eval(half).expect("a value");
            assert!(convert::to_json(&half).is_ok_and(|json| json.to_string().contains('\u{fffd}')));
            assert!(convert::to_exact_json(&half).is_err());
        }
    });
}

#[test]
fn an_interpreter_that_was_made_ready_is_used_once_and_has_everything() {
    let script = r#"
        if (globalThis.seen || process.argv[2] !== "cmd") throw new Error("not so");
        globalThis.seen = true;
        require("http");
        GBOT.Say("x");
        const { Robot } = require("gopherbot_v1")();
        new Robot().Say("y");
        7
    "#;
    warm_up().unwrap();
    for _ in 0..2 {
        let (status, calls) = run_with(script, &["cmd"], ok);
        assert_eq!((status, calls.len()), (Ok(7), 2));
    }
}

/// Longer than any script here takes.
const LONG: Duration = Duration::from_mins(10);

#[test]
fn somebody_is_called_before_a_script_may_wait() {
    for source in ["0", "GBOT.Say('a'); GBOT.Say('b')", "JSON.parse('{}'); for (let n = 0; n < 1000; n++) String(n); 0"]
    {
        assert!(!testing::calls_somebody(run, PATH, source, LONG), "{source}");
    }
    let attended = [
        "console.log('')",
        "console.error('')",
        "try { require('http').get('http://127.0.0.1:1/') } catch {}",
        "GBOT.Pause(0)",
    ];
    for source in attended {
        assert!(testing::calls_somebody(run, PATH, source, LONG), "{source}");
    }
    let slow = "const begun = Date.now(); while (Date.now() - begun < 20);";
    assert!(!testing::calls_somebody(run, PATH, slow, LONG));
    assert!(testing::calls_somebody(run, PATH, slow, Duration::from_millis(1)));
}
