//! Kinds of documents: what a store and a world document need to know of each.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::key::Key;

/// A kind of document. Its fields are the members of its JSON, in rows and in worlds alike, except
/// for the account and the id, which its key says.
pub trait Kind: Serialize + DeserializeOwned + fmt::Debug + Send + Sync + 'static {
    /// The name that begins its keys.
    const NAME: &'static str;
    /// The number of the form that its rows have. A reader takes rows of this form and of every
    /// older one.
    const SCHEMA: u16 = 1;
    /// The member of an account, in a world document, that maps ids to documents of this kind.
    /// `None`: a world does not say them, as other documents imply them ([`Kind::implied`]).
    const WORLD: Option<&'static str>;
    /// Who writes documents of this kind.
    const WRITER: Writer;

    /// The key.
    fn key(&self) -> Key;

    /// The id of the document within its account, as a world document gives it.
    fn id(&self) -> String;

    /// The account.
    fn account_id(&self) -> &str;

    /// [`Kind::id`] of the document that has this key: what follows kind, account and region in
    /// the key's text.
    #[must_use]
    fn id_in_key(key: &str) -> Cow<'_, str> {
        key.splitn(4, '#').nth(3).unwrap_or_default().into()
    }

    /// Takes account and id from the place where the document was found.
    ///
    /// # Errors
    ///
    /// What is wrong with the id.
    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), String>;

    /// When the document counts as gone, in seconds since 1970 UTC; `None`: never.
    fn expires_at_secs(&self) -> Option<u64> {
        None
    }

    /// The documents that exist because this one does.
    fn implied(&self) -> Vec<crate::Resource> {
        Vec::new()
    }

    /// Checks what the types of the fields do not.
    ///
    /// # Errors
    ///
    /// The member that is wrong, as `Ipv6InternetBandwidth.Bandwidth`, and what is wrong with it.
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }

    /// What no two documents of a world share: the member that says it, empty for the id, and a text.
    fn unique(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Who writes the documents of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The function, when it commits a call.
    Function,
    /// The operator alone. The function's role may not write them.
    Operator,
}

/// A member of a document that is wrong, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The member, as a path below the document; empty for the id.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What is known of a kind without its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRow {
    /// [`Kind::NAME`].
    pub name: &'static str,
    /// [`Kind::SCHEMA`].
    pub schema: u16,
    /// [`Kind::WORLD`].
    pub world: Option<&'static str>,
    /// [`Kind::WRITER`].
    pub writer: Writer,
}

impl KindRow {
    /// The row of a kind.
    #[must_use]
    pub const fn of<K: Kind>() -> Self {
        Self { name: K::NAME, schema: K::SCHEMA, world: K::WORLD, writer: K::WRITER }
    }
}

/// Makes the table of kinds, one line each.
macro_rules! kinds {
    ($($kind:ident,)+) => {
        /// A document of any kind; shared, so that reading one copies nothing.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Resource {
            $(#[doc = concat!("Of the kind [`", stringify!($kind), "`].")] $kind(Arc<$kind>),)+
        }

        /// Every kind.
        pub const KINDS: &[KindRow] = &[$(KindRow::of::<$kind>()),+];

        impl Resource {
            /// The row of its kind.
            #[must_use]
            pub fn kind(&self) -> KindRow {
                match self { $(Self::$kind(_) => KindRow::of::<$kind>(),)+ }
            }

            /// See [`Kind::key`].
            #[must_use]
            pub fn key(&self) -> Key {
                match self { $(Self::$kind(document) => document.key(),)+ }
            }

            /// See [`Kind::id`].
            #[must_use]
            pub fn id(&self) -> String {
                match self { $(Self::$kind(document) => document.id(),)+ }
            }

            /// See [`Kind::account_id`].
            #[must_use]
            pub fn account_id(&self) -> &str {
                match self { $(Self::$kind(document) => document.account_id(),)+ }
            }

            /// See [`Kind::expires_at_secs`].
            #[must_use]
            pub fn expires_at_secs(&self) -> Option<u64> {
                match self { $(Self::$kind(document) => document.expires_at_secs(),)+ }
            }

            /// See [`Kind::implied`].
            #[must_use]
            pub fn implied(&self) -> Vec<Self> {
                match self { $(Self::$kind(document) => document.implied(),)+ }
            }

            /// See [`Kind::check`].
            ///
            /// # Errors
            ///
            /// Those of [`Kind::check`].
            pub fn check(&self) -> Result<(), Flaw> {
                match self { $(Self::$kind(document) => document.check(),)+ }
            }

            /// See [`Kind::unique`].
            #[must_use]
            pub fn unique(&self) -> Vec<(&'static str, String)> {
                match self { $(Self::$kind(document) => document.unique(),)+ }
            }

            /// Reads the members of a document of the kind `name`, found as `id` in an account.
            /// Members that the kind does not have are passed over: it is the deserializer that
            /// may refuse them.
            ///
            /// # Errors
            ///
            /// There is no such kind, a member is not as it should be, or the id is not.
            pub fn read<'de, D: serde::Deserializer<'de>>(
                name: &str,
                account_id: &str,
                id: &str,
                members: D,
            ) -> Result<Self, D::Error> {
                use serde::de::Error as _;
                match name {
                    $(<$kind as Kind>::NAME => {
                        let mut document = <$kind as serde::Deserialize>::deserialize(members)?;
                        document.identify(account_id, id).map_err(D::Error::custom)?;
                        Ok(Self::$kind(Arc::new(document)))
                    })+
                    _ => Err(D::Error::custom(format!("no such kind: {name}"))),
                }
            }

            /// Reads the members of a row. Kind, account and id are in the text of its key.
            ///
            /// # Errors
            ///
            /// Those of [`Resource::read`].
            pub fn read_row<'de, D: serde::Deserializer<'de>>(
                key: &str,
                members: D,
            ) -> Result<Self, D::Error> {
                let mut parts = key.splitn(3, '#');
                let name = parts.next().unwrap_or_default();
                let account_id = parts.next().unwrap_or_default();
                let id = match name {
                    $(<$kind as Kind>::NAME => <$kind as Kind>::id_in_key(key),)+
                    _ => Cow::default(),
                };
                Self::read(name, account_id, &id, members)
            }
        }

        /// Writes the members, without account and id.
        impl serde::Serialize for Resource {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$kind(document) => document.serialize(serializer),)+ }
            }
        }

        $(
            impl From<$kind> for Resource {
                fn from(document: $kind) -> Self {
                    Self::$kind(Arc::new(document))
                }
            }

            impl AsKind<$kind> for Resource {
                fn as_kind(&self) -> Option<&$kind> {
                    if let Self::$kind(document) = self { Some(document) } else { None }
                }
            }
        )+
    };
}

/// A look at a document as one of a certain kind.
pub trait AsKind<K> {
    /// The document, if it is of that kind.
    fn as_kind(&self) -> Option<&K>;
}

pub(crate) use kinds;
