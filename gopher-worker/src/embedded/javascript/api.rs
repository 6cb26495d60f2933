//! `GBOT`: the robot as an object of JavaScript.

use std::{cell::OnceCell, rc::Rc};

use gopher_protocol::robot_api::{MessageFormat, RetVal};
use rquickjs::{Ctx, Exception, Function, IntoJs as _, Object, Result, Value, function::Rest};
use serde_json::{Map, Value as Json, json};

use super::convert::{NoJson, to_exact_json, to_js, to_json};
use crate::embedded::{
    arguments,
    robot::{self, Answer, Message, Robot},
};

/// To a robot that speaks elsewhere or in another form.
type Change = fn(&Robot) -> Robot;

/// The robot of an object whose methods are made before it is known.
#[derive(Default, Clone)]
pub(super) struct Known(Rc<OnceCell<Robot>>);

impl Known {
    /// Says which robot it is, once.
    pub(super) fn becomes(&self, robot: Robot) {
        let _ = self.0.set(robot);
    }

    fn robot(&self, ctx: &Ctx<'_>) -> Result<&Robot> {
        self.0.get().ok_or_else(|| Exception::throw_message(ctx, "there is no robot to call"))
    }
}

/// The robot's methods, and nothing else yet.
pub(super) fn methods<'js>(ctx: &Ctx<'js>, known: &Known) -> Result<Object<'js>> {
    let bot = Object::new(ctx.clone())?;
    for name in robot::methods() {
        let known = known.clone();
        let method = move |ctx: Ctx<'js>, arguments: Rest<Value<'js>>| call(&ctx, known.robot(&ctx)?, name, &arguments);
        bot.set(name, Function::new(ctx.clone(), method)?.with_name(name)?)?;
    }
    let changes: [(&str, Change); 3] = [
        ("Direct", Robot::direct),
        ("Threaded", Robot::threaded),
        ("Fixed", |robot| robot.with_format(MessageFormat::Fixed)),
    ];
    for (name, change) in changes {
        let known = known.clone();
        let method = move |ctx: Ctx<'js>| changed(&ctx, change(known.robot(&ctx)?));
        bot.set(name, Function::new(ctx.clone(), method)?.with_name(name)?)?;
    }
    let known = known.clone();
    let method = move |ctx: Ctx<'js>, wanted: Value<'js>| {
        let format = to_json(&wanted).ok().and_then(|value| arguments::format(&value));
        match format {
            Some(format) => changed(&ctx, known.robot(&ctx)?.with_format(format)),
            None => Err(Exception::throw_message(&ctx, "MessageFormat: the format must be one of `fmt`")),
        }
    };
    bot.set("MessageFormat", Function::new(ctx.clone(), method)?.with_name("MessageFormat")?)?;
    Ok(bot)
}

/// Fills in what a message says.
pub(super) fn fill(bot: &Object<'_>, message: &Message) -> Result<()> {
    for (field, text) in [
        ("user", &message.user),
        ("user_id", &message.user_id),
        ("channel", &message.channel),
        ("channel_id", &message.channel_id),
        ("thread_id", &message.thread_id),
        ("message_id", &message.message_id),
        ("protocol", &message.protocol),
        ("brain", &message.brain),
    ] {
        bot.set(field, text.as_str())?;
    }
    bot.set("threaded_message", message.threaded)?;
    bot.set("type", "native")
}

fn changed<'js>(ctx: &Ctx<'js>, robot: Robot) -> Result<Object<'js>> {
    let known = Known::default();
    let bot = methods(ctx, &known)?;
    fill(&bot, &robot.message)?;
    known.becomes(robot);
    Ok(bot)
}

/// Where a prompt's text stands, which may be left out.
fn place_of_prompt(method: &str) -> Option<usize> {
    match method {
        "PromptForReply" | "PromptThreadForReply" => Some(1),
        "PromptUserForReply" => Some(2),
        "PromptUserChannelForReply" => Some(3),
        "PromptUserChannelThreadForReply" => Some(4),
        _ => None,
    }
}

fn call<'js>(ctx: &Ctx<'js>, robot: &Robot, method: &str, arguments: &[Value<'js>]) -> Result<Value<'js>> {
    let taken = match method {
        "UpdateDatum" | "CheckinDatum" => memory(ctx, method, arguments.first())?,
        _ => arguments.to_vec(),
    };
    let mut given = Vec::with_capacity(taken.len());
    for argument in &taken {
        if argument.as_string().is_some_and(|text| text.to_string().is_err()) && method != "UpdateDatum" {
            robot::note_text_that_is_none();
        }
        // What people read is shown as far as it can be; what is kept is kept as it is.
        match if method == "UpdateDatum" { to_exact_json(argument) } else { to_json(argument) } {
            Ok(value) => given.push(value),
            Err(_) if method == "UpdateDatum" => return RetVal::DataFormatError.number().into_js(ctx),
            Err(NoJson::Thrown(error)) => return Err(error),
            Err(problem) => return Err(Exception::throw_message(ctx, &format!("{method}: {problem}"))),
        }
    }
    match place_of_prompt(method) {
        Some(place) if given.len() == place => given.push(Json::from("")),
        Some(place) if given.get(place) == Some(&Json::Null) => given[place] = Json::from(""),
        _ => {}
    }
    let answer = robot.invoke(method, &given).map_err(|misuse| Exception::throw_message(ctx, &misuse.to_string()))?;
    let object = match answer {
        Answer::Nothing => return Ok(Value::new_undefined(ctx.clone())),
        #[expect(clippy::cast_precision_loss, reason = "numbers of JavaScript are doubles")]
        Answer::Number(drawn) => return (drawn as f64).into_js(ctx),
        Answer::RetVal(ret) => return ret.into_js(ctx),
        Answer::Boolean(flag) => return flag.into_js(ctx),
        Answer::Text(text) => return text.into_js(ctx),
        Answer::Attribute(text, ret) if method == "EncryptSecret" => json!({ "ciphertext": text, "retVal": ret }),
        Answer::Attribute(text, ret) => json!({ "attribute": text, "retVal": ret }),
        Answer::Reply(text, ret) => json!({ "reply": text, "retVal": ret }),
        Answer::Config(found, ret) => json!({ "config": found, "retVal": ret }),
        Answer::Credential(found, ret) => json!({ "credential": found.map(in_camel_case), "retVal": ret }),
        Answer::Datum { token, datum, ret } => {
            let exists = datum.is_some();
            json!({ "exists": exists, "datum": datum.unwrap_or_else(|| json!({})), "token": token, "retVal": ret })
        }
    };
    to_js(ctx, &object)
}

/// The arguments that are in the memory which `CheckoutDatum` gave.
fn memory<'js>(ctx: &Ctx<'js>, method: &str, memory: Option<&Value<'js>>) -> Result<Vec<Value<'js>>> {
    let Some(memory) = memory.and_then(Value::as_object) else {
        let problem = format!("{method}: the argument `memory` (number 1) must be an object with key, token and datum");
        return Err(Exception::throw_message(ctx, &problem));
    };
    let token: Value<'js> = memory.get("token")?;
    if method == "CheckinDatum" {
        return Ok(vec![memory.get("key")?, token]);
    }
    if token.as_string().is_none_or(|token| token.to_string().is_ok_and(|token| token.is_empty())) {
        let problem = format!("{method}: the memory has no token; check it out for writing first");
        return Err(Exception::throw_message(ctx, &problem));
    }
    Ok(vec![memory.get("key")?, token, memory.get("datum")?])
}

/// `header_name` as `headerName`.
fn in_camel_case(credential: Json) -> Json {
    let Json::Object(entries) = credential else { return credential };
    let renamed = entries.into_iter().map(|(name, value)| {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let name = words.fold(first, |name, word| {
            let mut letters = word.chars();
            let initial = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
            name + &initial.chain(letters).collect::<String>()
        });
        (name, value)
    });
    Json::Object(renamed.collect::<Map<_, _>>())
}
