//! `GBOT`: the robot as a Lua object.

use gopher_protocol::robot_api::{MessageFormat, RetVal};
use mlua::{IntoLuaMulti as _, Lua, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value};
use serde_json::Value as Json;

use super::convert::{to_json, to_lua};
use crate::embedded::{
    arguments,
    robot::{self, Answer, Message, Robot},
};

/// Without a robot only its fields are there.
pub(super) struct Bot {
    message: Message,
    robot: Option<Robot>,
}

impl Bot {
    pub(super) fn new(message: Message, robot: Option<Robot>) -> Self {
        Self { message, robot }
    }

    fn changed(&self, change: impl FnOnce(&Robot) -> Robot) -> mlua::Result<Self> {
        let robot = change(self.robot()?);
        Ok(Self { message: robot.message.clone(), robot: Some(robot) })
    }

    fn robot(&self) -> mlua::Result<&Robot> {
        self.robot.as_ref().ok_or_else(|| mlua::Error::runtime("there is no robot to call while _configure runs"))
    }
}

impl UserData for Bot {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("user", |_, bot| Ok(bot.message.user.clone()));
        fields.add_field_method_get("user_id", |_, bot| Ok(bot.message.user_id.clone()));
        fields.add_field_method_get("channel", |_, bot| Ok(bot.message.channel.clone()));
        fields.add_field_method_get("channel_id", |_, bot| Ok(bot.message.channel_id.clone()));
        fields.add_field_method_get("thread_id", |_, bot| Ok(bot.message.thread_id.clone()));
        fields.add_field_method_get("message_id", |_, bot| Ok(bot.message.message_id.clone()));
        fields.add_field_method_get("protocol", |_, bot| Ok(bot.message.protocol.clone()));
        fields.add_field_method_get("brain", |_, bot| Ok(bot.message.brain.clone()));
        fields.add_field_method_get("threaded_message", |_, bot| Ok(bot.message.threaded));
        fields.add_field_method_get("type", |_, _| Ok("native"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        for name in robot::methods() {
            methods.add_method(name, move |lua, bot, arguments: MultiValue| call(lua, bot.robot()?, name, &arguments));
        }
        methods.add_method("Direct", |_, bot, ()| bot.changed(Robot::direct));
        methods.add_method("Threaded", |_, bot, ()| bot.changed(Robot::threaded));
        methods.add_method("Fixed", |_, bot, ()| bot.changed(|robot| robot.with_format(MessageFormat::Fixed)));
        methods.add_method("MessageFormat", |_, bot, wanted: Value| {
            let format = to_json(&wanted).ok().and_then(|value| arguments::format(&value));
            let format =
                format.ok_or_else(|| mlua::Error::runtime("MessageFormat: the format must be one of `fmt`"))?;
            bot.changed(|robot| robot.with_format(format))
        });
        methods.add_meta_method(MetaMethod::ToString, |_, _, ()| Ok("bot"));
    }
}

fn call(lua: &Lua, robot: &Robot, method: &str, arguments: &MultiValue) -> mlua::Result<MultiValue> {
    let mut given = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match (argument, to_json(argument)) {
            (_, Ok(value)) => given.push(value),
            // What people read is shown as far as it can be; what is kept is kept as it is.
            (Value::String(text), Err(_)) if method != "UpdateDatum" => {
                robot::note_text_that_is_none();
                given.push(Json::String(text.to_string_lossy()));
            }
            (_, Err(_)) if method == "UpdateDatum" => {
                return f64::from(RetVal::DataFormatError.number()).into_lua_multi(lua);
            }
            (_, Err(problem)) => return Err(mlua::Error::runtime(format!("{method}: {problem}"))),
        }
    }
    let answer = robot.invoke(method, &given).map_err(|misuse| mlua::Error::runtime(misuse.to_string()))?;
    let number = |ret: u8| Value::Number(f64::from(ret));
    let value = |json: Option<Json>| json.map_or(Ok(Value::Nil), |json| to_lua(lua, &json));
    match answer {
        Answer::Nothing => ().into_lua_multi(lua),
        #[expect(clippy::cast_precision_loss, reason = "numbers of Lua are doubles")]
        Answer::Number(drawn) => (drawn as f64).into_lua_multi(lua),
        Answer::RetVal(ret) => number(ret).into_lua_multi(lua),
        Answer::Boolean(flag) => flag.into_lua_multi(lua),
        Answer::Text(text) => text.into_lua_multi(lua),
        Answer::Attribute(text, ret) | Answer::Reply(text, ret) => (text, number(ret)).into_lua_multi(lua),
        Answer::Config(found, ret) | Answer::Credential(found, ret) => (value(found)?, number(ret)).into_lua_multi(lua),
        Answer::Datum { token, datum, ret } => (number(ret), value(datum)?, token).into_lua_multi(lua),
    }
}
