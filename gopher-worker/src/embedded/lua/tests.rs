//! Scripts against a robot that the test plays.

use std::time::Duration;

use super::*;
use crate::embedded::testing::{calls_somebody, configure_at, ok, run_at};

const PATH: &str = "/robot/plugins/x.lua";

fn run_with(source: &str, args: &[&str], answer: fn(&str) -> &str) -> (Result<i32, String>, Vec<String>) {
    run_at(run, PATH, source, args, answer)
}

fn configure(source: &str) -> Result<i32, String> {
    configure_at(run, PATH, source)
}

#[test]
fn messages_go_where_the_library_says_and_its_status_is_the_runs() {
    let (status, calls) = run_with(
        r#"
        local gb = require "gopherbot_v1"
        local bot = gb.Robot:new()
        assert(bot.user == "alice" and bot.user_id == "u1" and bot.type == "native" and not bot.threaded_message)
        assert(bot:Say("a") == gb.ret.Ok)
        bot:Say("b", gb.fmt.BasicMarkdown)
        bot:Reply("c")
        bot:SayThread("d")
        bot:Direct():Reply("e")
        bot:Threaded():Say("f")
        bot:Fixed():SendUserMessage("bob", "g")
        assert(bot.channel == "general" and bot:Direct().channel == "")
        assert(gb.ret:string(8) == "DataFormatError" and gb.ret:string(99) == "UnknownRetVal")
        return gb.task.Success
        "#,
        &["cmd"],
        ok,
    );
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
        ]
    );
}

#[test]
fn mail_has_the_same_arguments_as_in_other_languages() {
    let (status, calls) = run_with(
        r#"
        local gb = require "gopherbot_v1"
        local bot = gb.Robot:new()
        assert(bot:Email("s", "b") == gb.ret.MailError)
        bot:EmailUser("bob", "s", "<p>", true)
        bot:EmailAddress("a@b", "", "b", false)
        assert(not pcall(function() bot:EmailUser("", "s", "b") end))
        "#,
        &["cmd"],
        |_| r#"{"RetVal":22}"#,
    );
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
fn answers_come_in_the_shapes_of_the_language() {
    let answer = |function: &str| match function {
        "GetBotAttribute" => r#"{"Attribute":"floyd","RetVal":0}"#,
        "PromptUserChannelThreadForReply" => r#"{"Reply":"","RetVal":14}"#,
        "GetTaskConfig" => r#"{"List":["a",{"B":1.5}],"Flag":true}"#,
        "CheckoutDatum" => r#"{"LockToken":"abc","Exists":false,"Datum":null,"RetVal":0}"#,
        "CheckAdmin" => r#"{"Boolean":true}"#,
        "Recall" => r#"{"StrVal":"tea"}"#,
        "AddTask" => r#"{"Error":"AddTask is not offered yet"}"#,
        _ => r#"{"RetVal":0}"#,
    };
    let (status, calls) = run_with(
        r#"
        local gb = require "gopherbot_v1"
        local ret, bot = gb.ret, gb.Robot:new()
        local name, r = bot:GetBotAttribute("name")
        assert(name == "floyd" and r == ret.Ok)
        local reply, r = bot:PromptForReply("YesNo", "Sure?")
        assert(reply == "" and r == ret.Interrupted)
        local config, r = bot:GetTaskConfig()
        assert(r == ret.Ok and config.List[2].B == 1.5 and #config.List == 2 and config.Flag)
        local memory, r = bot:CheckoutDatum("k", true)
        assert(r == ret.Ok and memory.exists == false and memory.datum == nil and memory.token == "abc")
        memory.datum = { list = {}, count = 3, half = 0.5, mixed = { 1, x = "y" } }
        assert(bot:UpdateDatum(memory) == ret.Ok)
        local loop = {}
        loop.loop = loop
        for _, datum in ipairs { { print }, loop, "\255", { "\255" }, { ["\255"] = 1 }, 0 / 0 } do
          memory.datum = datum
          assert(bot:UpdateDatum(memory) == ret.DataFormatError)
        end
        assert(bot:CheckAdmin() == true and bot:Recall("k") == "tea")
        assert(bot:AddTask("t", "a", 1, "b") == ret.Failed)
        assert(bot:Remember("k", "v") == nil)
        assert(bot:RandomInt(1) == 0 and bot:RandomString({ "x" }) == "x" and bot:RandomString({}) == "")
        "#,
        &["cmd"],
        answer,
    );
    assert_eq!(status, Ok(0));
    let prompts = calls.iter().filter(|c| c.starts_with("Prompt")).count();
    assert_eq!(prompts, 3, "asked again twice");
    let update = calls.iter().find(|c| c.starts_with("UpdateDatum")).expect("updated");
    let expected = r#""Datum":{"count":3,"half":0.5,"list":[],"mixed":{"1":1,"x":"y"}},"Key":"k","Token":"abc""#;
    assert_eq!(update, &format!("UpdateDatum  {{{expected}}}"));
    assert!(calls.contains(&r#"AddTask  {"CmdArgs":["a","b"],"Name":"t"}"#.to_owned()), "{calls:?}");
}

#[test]
fn a_message_that_is_no_text_is_shown_as_far_as_it_is() {
    let (status, calls) = run_with("GBOT:Say('a\\255b') return GBOT:Say('c')", &["cmd"], ok);
    let said = "SendChannelThreadMessage  {\"Channel\":\"general\",\"Message\":\"a\u{fffd}b\",\"Thread\":\"\"}";
    assert_eq!((status, calls[0].as_str(), calls.len()), (Ok(0), said, 2));
}

#[test]
fn mistakes_of_an_author_are_told_with_their_line() {
    for (source, expected) in [
        ("x = = 1", "/robot/plugins/x.lua:1: unexpected symbol near '='"),
        ("\nlocal t\nreturn t.x", "/robot/plugins/x.lua:3: attempt to index local 't' (a nil value)"),
        ("GBOT:Say()", "Say: the argument `text` (number 1) must be a text"),
        (
            "GBOT:SendUserMessage('', 'x')",
            "SendUserMessage: the argument `user` (number 1) must be a text that is not empty",
        ),
        ("GBOT:Remember('k', '')", "Remember: the argument `value` (number 2) must be a text that is not empty"),
        ("GBOT:Pause(-1)", "Pause: the argument `seconds` (number 1) must be a number of seconds"),
        ("GBOT:MessageFormat(9)", "MessageFormat: the format must be one of `fmt`"),
        ("GBOT:NoSuch()", "attempt to call method 'NoSuch'"),
        ("require 'nowhere'", "module 'nowhere' not found"),
        ("error({})", "Lua error in script 'x.lua'"),
        ("local s = 'x' while true do s = s .. s end", "not enough memory"),
        ("local function f() return 1 + f() end f()", "stack overflow"),
        ("return ('('):rep(40, '(') == ('a'):rep(40):match(('(a?)'):rep(40))", "too many captures"),
        ("return table.concat({ {} })", "invalid value"),
    ] {
        let (status, _) = run_with(source, &["cmd"], ok);
        let problem = status.expect_err(source);
        assert!(problem.starts_with("Lua error in script 'x.lua': ") && problem.contains(expected), "{problem}");
    }
}

#[test]
fn a_default_configuration_is_the_string_that_is_returned() {
    assert_eq!(configure("require 'gopherbot_v1' return arg[1] == '_configure' and '' or nil"), Ok(0));
    let none = configure("return 7").expect_err("no string");
    assert!(none.contains("returned no default configuration but a number"), "{none}");
    let called = configure("GBOT:Say('x')").expect_err("no robot");
    assert!(called.contains("there is no robot to call while _configure runs"), "{called}");
}

#[test]
fn json_and_the_libraries_are_there() {
    let (status, _) = run_with(
        r#"
        local json, http = require "json", require "http"
        assert(json.encode({ a = { 1, 2 }, b = "ü" }) == '{"a":[1,2],"b":"ü"}')
        assert(json.decode('{"a":[1,null],"b":null}').a[1] == 1)
        local nothing, problem = json.decode("{")
        assert(nothing == nil and type(problem) == "string")
        nothing, problem = json.encode({ [1] = 1, [3] = 3 })
        assert(nothing == nil and problem == "a list has gaps")
        local loop = {} loop.loop = loop
        assert(json.encode(loop) == nil)
        nothing, problem = json.encode({ "\255" })
        assert(nothing == nil and problem == "a text is not UTF-8")
        nothing, problem = http.get("http://127.0.0.1:1/", { timeout = 5 })
        assert(nothing == nil and problem:find("127.0.0.1:1"))
        assert(os.setlocale("C") == nil and debug.traceback("here"):find("here"))
        assert(arg[0] == "/robot/plugins/x.lua" and arg[2] == "b" and arg[-1])
        return 300
        "#,
        &["cmd", "b"],
        ok,
    );
    assert_eq!(status, Ok(300));
}

#[test]
fn a_library_that_is_forgotten_is_another_one_when_it_is_required_again() {
    let source = "local one = require 'gopherbot_v1'; assert(require 'gopherbot_v1' == one)
        package.loaded.gopherbot_v1 = nil
        return require('gopherbot_v1') ~= one and require('gopherbot_v1').task.Normal + 3 or 4";
    assert_eq!(run_with(source, &[], ok).0, Ok(3));
}

#[test]
fn a_library_of_that_name_with_another_text_is_the_one_that_is_required() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("gopherbot_v1.lua"), "return { own = true }").expect("written");
    let nearer = format!("package.path = '{}/?.lua;' .. package.path ", dir.path().display());
    let kind = "return require('gopherbot_v1').own and 3 or 4";
    assert_eq!(run_with(&format!("{nearer} {kind}"), &[], ok).0, Ok(3));
    assert_eq!(run_with(kind, &[], ok).0, Ok(4));
}

#[test]
fn what_a_script_preloads_comes_before_any_library() {
    let source = "package.preload.gopherbot_v1 = function() return { own = true } end
        return require('gopherbot_v1').own and 3 or 4";
    assert_eq!(run_with(source, &[], ok).0, Ok(3));
}

#[test]
fn a_robot_has_its_fields_and_methods_and_nothing_else() {
    let source = "local bot = require('gopherbot_v1').Robot:new()
        assert(bot.threaded_message == false and bot.protocol == 'test' and bot.Say == bot:Direct().Say)
        assert(bot.nonsense == nil and bot.gbot == GBOT)
        bot.user = 'bob'
        return bot.user == 'bob' and bot:Fixed().user == 'alice' and 3 or 4";
    assert_eq!(run_with(source, &[], ok).0, Ok(3));
}

#[test]
fn a_file_is_a_chunk_and_no_expression() {
    assert!(run_with("1 + 1", &[], ok).0.expect_err("no statement").contains("unexpected symbol near '1'"));
}

#[test]
fn any_table_and_any_json_is_converted_or_refused() {
    let lua = Lua::new();
    for text in ["null", "[]", "[[],{}]", "{\"a\":{\"b\":[1,2.5,\"x\",true]}}", "12345678901234567890", "\"\\u0000\""] {
        let json: serde_json::Value = serde_json::from_str(text).expect(text);
        let value = convert::to_lua(&lua, &json).expect(text);
        convert::to_json(&value).expect(text);
    }
    let deep = lua.load("local t = {} for i = 1, 1000 do t = { t } end return t").eval().expect("a table");
    assert_eq!(convert::to_json(&deep).map_err(|e| e.to_string()), Err("tables lie too deep in each other".to_owned()));
    let zero = lua.load("return { [0] = 'a', 'b' }").eval().expect("a table");
    assert_eq!(convert::to_json(&zero).expect("a list"), serde_json::json!(["a", "b"]));
}

#[test]
fn an_interpreter_that_was_made_ready_is_used_once_and_has_everything() {
    let script = r#"
        assert(seen == nil and arg[1] == "cmd")
        seen = true
        assert(require("gopherbot_v1").Robot:new():Say(require("json").encode({1})) == 0)
        return 7
    "#;
    warm_up().unwrap();
    for _ in 0..2 {
        let (status, calls) = run_with(script, &["cmd"], ok);
        assert_eq!((status, calls.len()), (Ok(7), 1));
    }
}

/// Longer than any script here takes.
const LONG: Duration = Duration::from_mins(10);

#[test]
fn somebody_is_called_before_a_script_may_wait_or_start_something() {
    let alone = [
        "return 0",
        "GBOT:Say('a') GBOT:Say('b')",
        "local json = require('json') json.decode(json.encode({ a = 1 }))",
        "for n = 1, 1000 do tostring(n) end io.stdout:flush()",
    ];
    let attended = [
        "print()",
        "io.write('')",
        "io.stderr:write('')",
        "io.open('/dev/null'):close()",
        "for _ in io.lines('/dev/null') do end",
        "io.popen('true'):close()",
        "os.execute()",
        "require('http').get('http://127.0.0.1:1/')",
        "os.setenv('A', 'b')",
        "GBOT:Pause(0)",
    ];
    let slow = [
        "local begun = os.clock() while os.clock() - begun < 0.02 do end",
        "local begun = os.clock() coroutine.wrap(function() while os.clock() - begun < 0.02 do end end)()",
    ];
    for source in alone {
        assert!(!calls_somebody(run, PATH, source, LONG), "{source}");
    }
    for source in attended {
        assert!(calls_somebody(run, PATH, source, LONG), "{source}");
    }
    for source in slow {
        assert!(!calls_somebody(run, PATH, source, LONG), "{source}");
        assert!(calls_somebody(run, PATH, source, Duration::from_millis(1)), "{source}");
    }
}

#[test]
fn what_calls_somebody_is_as_it_was_once_somebody_came() {
    let source = r#"
        local first = io.write
        first("")
        assert(io.write ~= first)
        local own = function() end
        print = own
        local ok, problem = pcall(function() io.open({}) end)
        assert(not ok and problem:find("to 'open'", 1, true), problem)
        io.write("")
        assert(print == own and getmetatable(io.stdout).__index == getmetatable(io.stdout))
    "#;
    assert_eq!(run_with(source, &["cmd"], ok).0, Ok(0));
}
