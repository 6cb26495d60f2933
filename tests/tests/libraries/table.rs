//! The table: for each method, how it is called in three languages, what the robot is asked, what it answers, and
//! what the script then prints.

use gopher_tests::fake_worker::Answer::{self, Bool, Datum, Document, Ret, Text};

/// Where the message came from that started the script; alice sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// In #general.
    Channel,
    /// In thread 0xDEADBEEF of #general.
    Thread,
    Direct,
}

pub(crate) struct Case {
    pub(crate) context: Context,
    pub(crate) calls: &'static [(&'static str, Answer)],
    pub(crate) bash: &'static str,
    pub(crate) python: &'static str,
    pub(crate) ruby: &'static str,
    pub(crate) prints: &'static str,
}

/// A method with the same arguments everywhere, of which everyone prints the result.
macro_rules! case {
    ($context:ident, [$($call:literal => $answer:expr),* $(,)?], $bash:literal, $python:literal, $ruby:literal, $prints:literal) => {
        Case {
            context: Context::$context,
            calls: &[$(($call, $answer)),*],
            bash: $bash,
            python: $python,
            ruby: $ruby,
            prints: $prints,
        }
    };
}

pub(crate) const CASES: &[Case] = &[
    // Messages
    case!(Channel, ["SendChannelThreadMessage||Channel=general|Message=hi|Thread=" => Ret(0)],
        "Say hi; show $?", "show(bot.Say('hi'))", "show bot.Say('hi')", "0\n"),
    case!(Channel, ["SendChannelThreadMessage||Channel=general|Message=a \\b\\n \"q\" & $x\tt\r\nünï ✓|Thread=" => Ret(4)],
        "Say $'a \\\\b\\\\n \"q\" & $x\\tt\\r\\nünï ✓'; show $?",
        "show(bot.Say('a \\\\b\\\\n \"q\" & $x\\tt\\r\\nünï ✓'))",
        "show bot.Say(\"a \\\\b\\\\n \\\"q\\\" & $x\\tt\\r\\nünï ✓\")", "4\n"),
    case!(Channel, ["SendChannelThreadMessage|Fixed|Channel=general|Message=f|Thread=" => Ret(0),
            "SendChannelThreadMessage|Raw|Channel=general|Message=r|Thread=" => Ret(0),
            "SendChannelThreadMessage|Variable|Channel=general|Message=v|Thread=" => Ret(0),
            "SendChannelThreadMessage|BasicMarkdown|Channel=general|Message=m|Thread=" => Ret(0)],
        "Say -f f; Say -r r; Say -v v; Say -m m",
        "bot.Say('f', 'Fixed'); bot.Say('r', 'Raw'); bot.Say('v', 'Variable'); bot.Say('m', 'BasicMarkdown')",
        "bot.Say('f', :Fixed); bot.Say('r', 'Raw'); bot.Say('v', :Variable); bot.Say('m', :BasicMarkdown)", ""),
    case!(Channel, ["SendChannelThreadMessage|Fixed|Channel=general|Message=one|Thread=" => Ret(0),
            "SendChannelThreadMessage||Channel=general|Message=two|Thread=" => Ret(0)],
        "MessageFormat Fixed; Say one; GB_FORMAT=; Say two",
        "bot.MessageFormat('Fixed').Say('one'); bot.Say('two')",
        "bot.MessageFormat('Fixed').Say('one'); bot.Say('two')", ""),
    case!(Channel, ["SendUserMessage|Fixed|Message=here|User=alice" => Ret(0),
            "SendUserChannelThreadMessage||Channel=general|Message=there|Thread=0xDEADBEEF|User=alice" => Ret(0)],
        "Fixed Direct Say here; Threaded Reply there",
        "bot.Fixed().Direct().Say('here'); bot.Threaded().Reply('there')",
        "bot.Fixed.Direct.Say('here'); bot.Threaded.Reply('there')", ""),
    case!(Channel, ["SendChannelThreadMessage||Channel=general|Message=t|Thread=0xDEADBEEF" => Ret(0),
            "SendUserChannelThreadMessage||Channel=general|Message=r|Thread=|User=alice" => Ret(0),
            "SendUserChannelThreadMessage||Channel=general|Message=rt|Thread=0xDEADBEEF|User=alice" => Ret(0)],
        "SayThread t; Reply r; ReplyThread rt",
        "bot.SayThread('t'); bot.Reply('r'); bot.ReplyThread('rt')",
        "bot.SayThread('t'); bot.Reply('r'); bot.ReplyThread('rt')", ""),
    case!(Channel, ["SendChannelThreadMessage|Raw|Channel=random|Message=c|Thread=" => Ret(0),
            "SendChannelThreadMessage||Channel=random|Message=ct|Thread=0x1" => Ret(2),
            "SendUserMessage|Fixed|Message=u|User=bob" => Ret(1),
            "SendUserChannelThreadMessage|Variable|Channel=random|Message=uc|Thread=|User=bob" => Ret(0),
            "SendUserChannelThreadMessage||Channel=random|Message=uct|Thread=0x1|User=bob" => Ret(0),
            "SendProtocolUserChannelMessage|Raw|Channel=random|Message=p|Protocol=slack|User=bob" => Ret(63)],
        "SendChannelMessage -r random c; SendChannelThreadMessage random 0x1 ct; show $?; SendUserMessage -f bob u; show $?\n\
         SendUserChannelMessage -v bob random uc; SendUserChannelThreadMessage bob random 0x1 uct\n\
         SendProtocolUserChannelMessage -r slack bob random p; show $?",
        "bot.SendChannelMessage('random', 'c', 'Raw'); show(bot.SendChannelThreadMessage('random', '0x1', 'ct'))\n\
         show(bot.SendUserMessage('bob', 'u', 'Fixed')); bot.SendUserChannelMessage('bob', 'random', 'uc', 'Variable')\n\
         bot.SendUserChannelThreadMessage('bob', 'random', '0x1', 'uct')\n\
         show(bot.SendProtocolUserChannelMessage('slack', 'bob', 'random', 'p', 'Raw'))",
        "bot.SendChannelMessage('random', 'c', :Raw); show bot.SendChannelThreadMessage('random', '0x1', 'ct')\n\
         show bot.SendUserMessage('bob', 'u', 'Fixed'); bot.SendUserChannelMessage('bob', 'random', 'uc', 'Variable')\n\
         bot.SendUserChannelThreadMessage('bob', 'random', '0x1', 'uct')\n\
         show bot.SendProtocolUserChannelMessage('slack', 'bob', 'random', 'p', :Raw)", "2\n1\n63\n"),
    case!(Thread, ["SendChannelThreadMessage||Channel=general|Message=s|Thread=0xDEADBEEF" => Ret(0),
            "SendUserChannelThreadMessage||Channel=general|Message=r|Thread=0xDEADBEEF|User=alice" => Ret(0)],
        "Say s; Reply r", "bot.Say('s'); bot.Reply('r')", "bot.Say('s'); bot.Reply('r')", ""),
    case!(Direct, ["SendUserMessage||Message=s|User=alice" => Ret(0), "SendUserMessage||Message=st|User=alice" => Ret(0),
            "SendUserMessage||Message=r|User=alice" => Ret(0), "SendUserMessage|Fixed|Message=rt|User=alice" => Ret(0)],
        "Say s; SayThread st; Reply r; ReplyThread -f rt",
        "bot.Say('s'); bot.SayThread('st'); bot.Reply('r'); bot.Threaded().ReplyThread('rt', 'Fixed')",
        "bot.Say('s'); bot.SayThread('st'); bot.Reply('r'); bot.Threaded.ReplyThread('rt', 'Fixed')", ""),
    // Prompts
    case!(Channel, ["PromptUserChannelThreadForReply||Channel=general|Prompt=who?|RegexID=SimpleString|Thread=|User=alice"
            => Text(0, "tab\there, \\n \\ and\nmore \"é\"")],
        "r=$(PromptForReply SimpleString 'who?'); show $?; show \"$r\"",
        "r = bot.PromptForReply('SimpleString', 'who?'); show(r.ret); show(r)",
        "r = bot.PromptForReply('SimpleString', 'who?'); show r.ret; show r",
        "0\ntab\there, \\n \\ and\nmore \"é\"\n"),
    case!(Channel, ["PromptUserChannelThreadForReply|Fixed|Channel=general|Prompt=q|RegexID=YesNo|Thread=0xDEADBEEF|User=alice" => Text(15, ""),
            "PromptUserChannelThreadForReply|Raw|Channel=|Prompt=q|RegexID=YesNo|Thread=|User=bob" => Text(16, ""),
            "PromptUserChannelThreadForReply||Channel=random|Prompt=q|RegexID=YesNo|Thread=|User=bob" => Text(17, ""),
            "PromptUserChannelThreadForReply||Channel=random|Prompt=q|RegexID=YesNo|Thread=0x1|User=bob" => Text(18, "")],
        "PromptThreadForReply -f YesNo q; show $?; PromptUserForReply -r YesNo bob q; show $?\n\
         PromptUserChannelForReply YesNo bob random q; show $?; PromptUserChannelThreadForReply YesNo bob random 0x1 q; show $?",
        "def both(r): show(r); show(r.ret)\n\
         both(bot.PromptThreadForReply('YesNo', 'q', 'Fixed')); both(bot.PromptUserForReply('YesNo', 'bob', 'q', 'Raw'))\n\
         both(bot.PromptUserChannelForReply('YesNo', 'bob', 'random', 'q'))\n\
         both(bot.PromptUserChannelThreadForReply('YesNo', 'bob', 'random', '0x1', 'q'))",
        "both = ->(r) { show r.reply; show r.ret }\n\
         both[bot.PromptThreadForReply('YesNo', 'q', :Fixed)]; both[bot.PromptUserForReply('YesNo', 'bob', 'q', 'Raw')]\n\
         both[bot.PromptUserChannelForReply('YesNo', 'bob', 'random', 'q')]\n\
         both[bot.PromptUserChannelThreadForReply('YesNo', 'bob', 'random', '0x1', 'q')]",
        "\n15\n\n16\n\n17\n\n18\n"),
    case!(Channel, ["PromptUserChannelThreadForReply||Channel=general|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(14, ""),
            "PromptUserChannelThreadForReply||Channel=general|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(14, ""),
            "PromptUserChannelThreadForReply||Channel=general|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(14, "")],
        "PromptForReply YesNo q; show $?",
        "r = bot.PromptForReply('YesNo', 'q'); show(r); show(r.ret)",
        "r = bot.PromptForReply('YesNo', 'q'); show r; show r.ret", "\n18\n"),
    case!(Channel, ["PromptUserChannelThreadForReply||Channel=general|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(14, ""),
            "PromptUserChannelThreadForReply||Channel=general|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(0, "yes")],
        "PromptForReply YesNo q; show $?",
        "r = bot.PromptForReply('YesNo', 'q'); show(r); show(r.ret)",
        "r = bot.PromptForReply('YesNo', 'q'); show r; show r.ret", "yes\n0\n"),
    case!(Thread, ["PromptUserChannelThreadForReply||Channel=general|Prompt=q|RegexID=YesNo|Thread=0xDEADBEEF|User=alice" => Text(0, "n")],
        "PromptForReply YesNo q", "show(bot.PromptForReply('YesNo', 'q'))", "show bot.PromptForReply('YesNo', 'q')", "n\n"),
    case!(Direct, ["PromptUserChannelThreadForReply||Channel=|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(0, "n")],
        "PromptForReply YesNo q", "show(bot.PromptForReply('YesNo', 'q'))", "show bot.PromptForReply('YesNo', 'q')", "n\n"),
    case!(Channel, ["PromptUserChannelThreadForReply||Channel=|Prompt=q|RegexID=YesNo|Thread=|User=alice" => Text(0, "n")],
        "Direct PromptForReply YesNo q", "show(bot.Direct().PromptForReply('YesNo', 'q'))",
        "show bot.Direct.PromptForReply('YesNo', 'q')", "n\n"),
    // Attributes, configuration, parameters, log
    case!(Channel, ["GetBotAttribute||Attribute=name" => Text(0, "floyd"), "GetSenderAttribute||Attribute=nickname" => Text(3, ""),
            "GetUserAttribute||Attribute=fullName|User=bob" => Text(0, "Bob \\ User")],
        "GetBotAttribute name; GetSenderAttribute nickname; show $?; GetUserAttribute bob fullName",
        "show(bot.GetBotAttribute('name')); a = bot.GetSenderAttribute('nickname'); show(a.attr); show(a.ret)\n\
         show(bot.GetUserAttribute('bob', 'fullName'))",
        "show bot.GetBotAttribute('name'); a = bot.GetSenderAttribute('nickname'); show a.attr; show a.ret\n\
         show bot.GetUserAttribute('bob', 'fullName')", "floyd\n\n3\nBob \\ User\n"),
    case!(Channel, ["Email||Body=a\nb|HTML=false|Subject=s" => Ret(0), "Email||Body=<p>|HTML=true|Subject=" => Ret(20),
            "EmailUser||Body=b|HTML=false|Subject=Grüße|User=bob" => Ret(21),
            "EmailAddress||Address=a@b|Body=b|HTML=true|Subject=s" => Ret(22)],
        "Email s $'a\\nb'; show $?; Email '' '<p>' html; show $?; EmailUser bob Grüße b; show $?; EmailAddress a@b s b true; show $?",
        "show(bot.Email('s', 'a\\nb')); show(bot.Email('', '<p>', True)); show(bot.EmailUser('bob', 'Grüße', 'b'))\n\
         show(bot.EmailAddress('a@b', 's', 'b', True))",
        "show bot.Email('s', \"a\\nb\"); show bot.Email('', '<p>', true); show bot.EmailUser('bob', 'Grüße', 'b')\n\
         show bot.EmailAddress('a@b', 's', 'b', true)", "0\n20\n21\n22\n"),
    case!(Channel, ["GetTaskConfig|" => Document(r#"{"Jokes":["a \"b\"\n"]}"#)],
        "GetTaskConfig", "import json; show(json.dumps(bot.GetTaskConfig(), separators=(',', ':')))",
        "show JSON.generate(bot.GetTaskConfig)", "{\"Jokes\":[\"a \\\"b\\\"\\n\"]}\n"),
    case!(Channel, ["GetParameter||Parameter=TOKEN" => Text(0, "s3\\cret"), "SetParameter||Name=A|Value=b c" => Bool(true),
            "SetParameter||Name=1|Value=" => Bool(false), "SetWorkingDirectory||Path=build" => Bool(true)],
        "GetParameter TOKEN; show; SetParameter A 'b c'; show $?; SetParameter 1 ''; show $?; SetWorkingDirectory build; show $?",
        "show(bot.GetParameter('TOKEN')); b = lambda x: show(0 if x else 1)\n\
         b(bot.SetParameter('A', 'b c')); b(bot.SetParameter('1', '')); b(bot.SetWorkingDirectory('build'))",
        "show bot.GetParameter('TOKEN'); b = ->(x) { show(x ? 0 : 1) }\n\
         b[bot.SetParameter('A', 'b c')]; b[bot.SetParameter('1', '')]; b[bot.SetWorkingDirectory('build')]",
        "s3\\cret\n0\n1\n0\n"),
    case!(Channel, ["Log||Level=info|Message=two\nlines" => Ret(0), "GetHelpMetadata||Query=ping" => Text(0, "{\"context\":{}}")],
        "Log info $'two\\nlines'; GetHelpMetadata ping",
        "bot.Log('info', 'two\\nlines'); show(bot.GetHelpMetadata('ping'))",
        "bot.Log('info', \"two\\nlines\"); show bot.GetHelpMetadata('ping')", "{\"context\":{}}\n"),
    // Memory
    case!(Channel, ["Remember||Key=k|Shared=false|Value=v" => Ret(0), "Remember||Key=k|Shared=true|Value=v" => Ret(0),
            "Remember||Key=context:item|Shared=false|Value=x" => Ret(0), "RememberThread||Key=k|Shared=true|Value=v" => Ret(0),
            "RememberThread||Key=context:item|Shared=false|Value=x" => Ret(0),
            "Recall||Key=k|Shared=false" => Text(0, "v"), "Recall||Key=k|Shared=true" => Text(0, ""),
            "Recall||Key=k|Shared=false" => Text(0, "again"),
            "DeleteMemory||Key=k|Shared=true" => Ret(0), "DeleteMemory||Key=k|Shared=false" => Ret(0)],
        "Remember k v; Remember k v true; RememberContext item x; RememberThread k v true; RememberContextThread item x\n\
         Recall k; show; Recall k true; show; Recall k; show; DeleteMemory k true; DeleteMemory k",
        "bot.Remember('k', 'v'); bot.Remember('k', 'v', True); bot.RememberContext('item', 'x')\n\
         bot.RememberThread('k', 'v', True); bot.RememberContextThread('item', 'x')\n\
         show(bot.Recall('k')); show(bot.Recall('k', True)); show(bot.Recall('k'))\n\
         bot.DeleteMemory('k', True); bot.DeleteMemory('k')",
        "bot.Remember('k', 'v'); bot.Remember('k', 'v', true); bot.RememberContext('item', 'x')\n\
         bot.RememberThread('k', 'v', true); bot.RememberContextThread('item', 'x')\n\
         show bot.Recall('k'); show bot.Recall('k', true); show bot.Recall('k')\n\
         bot.DeleteMemory('k', true); bot.DeleteMemory('k')", "v\n\nagain\n"),
    case!(Thread, ["RememberThread||Key=k|Shared=false|Value=v" => Ret(0)],
        "Remember k v", "bot.Remember('k', 'v')", "bot.Remember('k', 'v')", ""),
    case!(Channel, ["CheckoutDatum||Key=list|RW=true" => Datum { token: "0123456789abcdef", datum: Some(r#"{"a": [1, "x\ty\\"]}"#), ret: 0 },
            "UpdateDatum||Datum={\"a\":[1,\"x\\ty\\\\\"]}|Key=list|Token=0123456789abcdef" => Ret(0)],
        "CheckoutDatum list rw; show $? $GB_EXISTS; UpdateDatum list \"$GB_TOKEN\" \"$GB_DATUM\"; show $?",
        "m = bot.CheckoutDatum('list', True); show(m.ret, m.exists); show(bot.UpdateDatum(m))",
        "m = bot.CheckoutDatum('list', true); show m.ret, m.exists; show bot.UpdateDatum(m)", "0 true\n0\n"),
    case!(Channel, ["CheckoutDatum||Key=gone|RW=false" => Datum { token: "", datum: None, ret: 0 },
            "CheckoutDatum||Key=bad key|RW=true" => Datum { token: "", datum: None, ret: 10 },
            "CheckinDatum||Key=list|Token=t" => Ret(0), "DeleteDatum||Key=list" => Ret(9)],
        "CheckoutDatum gone; show $? $GB_EXISTS \"$GB_DATUM\"; CheckoutDatum 'bad key' true; show $?\n\
         CheckinDatum list t; DeleteDatum list; show $?",
        "m = bot.CheckoutDatum('gone', False); show(m.ret, m.exists, m.datum); show(bot.CheckoutDatum('bad key', True).ret)\n\
         m.key = 'list'; m.lock_token = 't'; bot.CheckinDatum(m); r = bot.DeleteDatum('list'); show(r); show(r)",
        "m = bot.CheckoutDatum('gone', false); show m.ret, m.exists, m.datum; show bot.CheckoutDatum('bad key', true).ret\n\
         bot.CheckinDatum(Memory.new('list', 't', false, nil, 0)); r = bot.DeleteDatum('list'); show r; show r",
        "0 false \n10\n9\n9\n"),
    // Pipelines
    case!(Channel, ["AddTask||CmdArgs=one|CmdArgs=two \"words\"|CmdArgs=|Name=t" => Ret(0), "AddJob||CmdArgs=x|Name=j" => Ret(23),
            "FinalTask||Name=t" => Ret(0), "FailTask||CmdArgs=f|Name=t" => Ret(0), "SpawnJob||CmdArgs=s|Name=j" => Ret(26)],
        "AddTask t one 'two \"words\"' ''; show $?; AddJob j x; show $?; FinalTask t; FailTask t f; SpawnJob j s; show $?",
        "show(bot.AddTask('t', ['one', 'two \"words\"', ''])); show(bot.AddJob('j', ['x'])); bot.FinalTask('t', [])\n\
         bot.FailTask('t', ['f']); show(bot.SpawnJob('j', ['s']))",
        "show bot.AddTask('t', ['one', 'two \"words\"', '']); show bot.AddJob('j', ['x']); bot.FinalTask('t', [])\n\
         bot.FailTask('t', ['f']); show bot.SpawnJob('j', ['s'])", "0\n23\n26\n"),
    case!(Channel, ["AddCommand||Command=say it|Plugin=p" => Ret(27), "FinalCommand||Command=c|Plugin=p" => Ret(0),
            "FailCommand||Command=c|Plugin=p" => Ret(0), "Exclusive||QueueTask=false|Tag=t" => Bool(true),
            "Exclusive||QueueTask=true|Tag=t" => Bool(false)],
        "AddCommand p 'say it'; show $?; FinalCommand p c; FailCommand p c; Exclusive t; show $?; Exclusive t true; show $?",
        "show(bot.AddCommand('p', 'say it')); bot.FinalCommand('p', 'c'); bot.FailCommand('p', 'c')\n\
         show(0 if bot.Exclusive('t') else 1); show(0 if bot.Exclusive('t', True) else 1)",
        "show bot.AddCommand('p', 'say it'); bot.FinalCommand('p', 'c'); bot.FailCommand('p', 'c')\n\
         show(bot.Exclusive('t') ? 0 : 1); show(bot.Exclusive('t', true) ? 0 : 1)", "27\n0\n1\n"),
    // Rights and identity
    case!(Channel, ["CheckAdmin|" => Bool(true), "CheckAdmin|" => Bool(false), "Subscribe|" => Bool(true), "Unsubscribe|" => Bool(true)],
        "CheckAdmin && CheckAdmin || Subscribe && Unsubscribe",
        "show(bot.CheckAdmin()); show(bot.CheckAdmin()); show(bot.Subscribe()); show(bot.Unsubscribe())",
        "show bot.CheckAdmin; show bot.CheckAdmin; show bot.Subscribe; show bot.Unsubscribe", "true\nfalse\ntrue\ntrue\n"),
    case!(Channel, ["Elevate||Immediate=false" => Bool(true), "Elevate||Immediate=true" => Bool(false)],
        "Elevate; show $?; Elevate true; show $?",
        "show(0 if bot.Elevate() else 1); show(0 if bot.Elevate(True) else 1)",
        "show(bot.Elevate ? 0 : 1); show(bot.Elevate(true) ? 0 : 1)", "0\n1\n"),
    case!(Channel, ["EncryptSecret||Plaintext=hush" => Text(29, ""), "EncryptSecret||Plaintext=hush" => Text(0, "Y2lwaGVy"),
            "UnlinkIdentity||Provider=github|User=alice" => Ret(31),
            "GetIdentityCredential||Provider=github|User=alice" => Text(0, r#"{"value":"v"}"#),
            "LinkOAuth2Identity||AccessToken=t|Provider=github" => Ret(35)],
        "EncryptSecret hush; show $?; EncryptSecret hush; UnlinkIdentity github alice; show $?\n\
         GetIdentityCredential github alice; LinkOAuth2Identity '{\"Provider\": \"github\", \"AccessToken\": \"t\"}'; show $?",
        "c, r = bot.EncryptSecret('hush'); show(c); show(r); show(bot.EncryptSecret('hush')[0])\n\
         show(bot.UnlinkIdentity('github', 'alice')); import json\n\
         show(json.dumps(bot.GetIdentityCredential('github', 'alice')[0], separators=(',', ':')))\n\
         show(bot.LinkOAuth2Identity({'Provider': 'github', 'AccessToken': 't'}))",
        "c, r = bot.EncryptSecret('hush'); show c; show r; show bot.EncryptSecret('hush')[0]\n\
         show bot.UnlinkIdentity('github', 'alice')\n\
         show JSON.generate(bot.GetIdentityCredential('github', 'alice')[0])\n\
         show bot.LinkOAuth2Identity({ 'Provider' => 'github', 'AccessToken' => 't' })",
        "\n29\nY2lwaGVy\n31\n{\"value\":\"v\"}\n35\n"),
    // Chance and time
    case!(
        Channel,
        [],
        "RandomInt 1; RandomInt -3; RandomString x; RandomString; Pause 0.01; show $PLUGRET_Success $GBRET_Failed",
        "show(bot.RandomInt(1)); show(bot.RandomInt(-3)); show(bot.RandomString(['x'])); bot.RandomString([]); bot.Pause(0.01)\n\
         show(Robot.Success, Robot.Failed)",
        "show bot.RandomInt(1); show bot.RandomInt(-3); show bot.RandomString(['x']); bot.RandomString([]); bot.Pause(0.01)\n\
         show Robot::Success, Robot::Failed",
        "0\n0\nx\n7 63\n"
    ),
];
