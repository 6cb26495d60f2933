//! The macro that declares the messages of one direction of one link.

use crate::frame::WireError;

/// One direction of one link.
pub trait Message: Sized {
    /// The name used in errors and golden files.
    const NAME: &'static str;
    /// Largest payload in bytes; a longer one ends the link.
    const CEILING: usize;

    /// The number of this message's type.
    fn kind(&self) -> u16;

    /// How many descriptors travel with this message.
    fn descriptors(&self) -> usize;

    /// Appends the payload to `out`.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Reads the payload of a message of type `kind`; trailing bytes are an error.
    fn decode(kind: u16, payload: &[u8]) -> Result<Self, WireError>;

    /// One message of every type, for golden files and property tests.
    #[cfg(any(test, feature = "arbitrary"))]
    fn examples(bytes: &[u8]) -> Vec<(&'static str, Self)>;
}

/// Declares a message enum: `NUMBER Variant { field: Type } fds N;`.
macro_rules! messages {
    (
        $(#[$meta:meta])*
        pub enum $name:ident, ceiling $ceiling:expr;
        $(
            $(#[$vmeta:meta])*
            $number:literal $variant:ident $({ $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),* $(,)? })? $(fds $fds:literal)? ;
        )*
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub enum $name {
            $( $(#[$vmeta])* $variant $({ $( $(#[$fmeta])* $field: $ty ),* })? ),*
        }

        impl $crate::Message for $name {
            const NAME: &'static str = stringify!($name);
            const CEILING: usize = $ceiling;

            fn kind(&self) -> u16 {
                match self { $( Self::$variant { .. } => $number ),* }
            }

            #[allow(unused_mut, unused_assignments, reason = "variants without descriptors leave it at zero")]
            fn descriptors(&self) -> usize {
                match self { $( Self::$variant { .. } => { let mut n = 0; $( n = $fds; )? n } ),* }
            }

            fn encode(&self, out: &mut Vec<u8>) -> Result<(), $crate::WireError> {
                match self {
                    $( Self::$variant $({ $( $field ),* })? => {
                        $crate::frame::put(out, &($( $( $field, )* )?))
                    } ),*
                }
            }

            fn decode(kind: u16, payload: &[u8]) -> Result<Self, $crate::WireError> {
                match kind {
                    $( $number => {
                        let ($( $( $field, )* )?): ($( $( $ty, )* )?) = $crate::frame::take(Self::NAME, payload)?;
                        Ok(Self::$variant $({ $( $field ),* })?)
                    } )*
                    other => Err($crate::WireError::UnknownKind { message: Self::NAME, kind: other }),
                }
            }

            #[cfg(any(test, feature = "arbitrary"))]
            fn examples(bytes: &[u8]) -> Vec<(&'static str, Self)> {
                let mut all = Vec::new();
                $( {
                    #[allow(unused_mut, unused_variables, reason = "variants without fields take nothing")]
                    let mut source = arbitrary::Unstructured::new(bytes);
                    $( $( let $field: $ty = arbitrary::Arbitrary::arbitrary(&mut source).expect("arbitrary pads with zeroes"); )* )?
                    all.push((stringify!($variant), Self::$variant $({ $( $field ),* })?));
                } )*
                all
            }
        }
    };
}
pub(crate) use messages;

/// Declares plain data that crosses a link.
macro_rules! wire {
    ($($item:item)*) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
            $item
        )*
    };
}
pub(crate) use wire;
