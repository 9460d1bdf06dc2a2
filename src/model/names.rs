//! Enums whose variants have a name in grammars and outputs.

/// Declares an enum whose variants have a name in grammars and outputs, and the table of all of them.
macro_rules! named_enum {
    ($(#[$doc:meta])* $type:ident $table:ident { $($(#[$about:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$about])* $variant,)* }

        /// Every one of them with its name, in order.
        pub const $table: &[($type, &str)] = &[$(($type::$variant, $name),)*];

        impl $type {
            /// Its name in grammars and outputs.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                $table.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_name(&name)
                    .ok_or_else(|| serde::de::Error::custom(format!("{name:?} is not known to this version")))
            }
        }
    };
}
pub(crate) use named_enum;
