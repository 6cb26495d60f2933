//! Policy decisions as suites see them (spec: suites §5.2). Sent to the test connector only.

macro_rules! events {
    ($($name:ident),* $(,)?) => {
        /// A decision, at the moment it is made.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Event { $($name),* }

        impl Event {
            /// The name suites assert.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

events! {
    IgnoredUser, BotDirectMessage, AdminCheckPassed, AdminCheckFailed, MultipleMatchesNoAction,
    AuthNoRunMisconfigured, AuthRanSuccess, AuthRanFail, AuthRanMechanismFailed, AuthRanFailNormal, AuthRanFailOther,
    CommandTaskRan, AmbientTaskRan, CatchAllsRan, CatchAllTaskRan, GoPluginRan, ExternalTaskRan,
}
