//! The table of options: each is written once, with its words, its type, its default and what is allowed, and from that come
//! its reading, its printing and its page.

use super::kind::{Kind, Part, Wrong};
use super::node::Node;

/// Options that belong together.
pub(crate) trait Group: Clone + Default + 'static {
    /// What they are about.
    const ABOUT: &'static str;

    /// All of them, those of groups in it included, in the order of the page.
    fn rows() -> Vec<Row<Self>>;
}

/// One option of a group.
pub(crate) struct Row<G> {
    /// Where it is, from the group's point of view: names to be joined.
    pub(crate) path: Vec<&'static str>,
    /// What it does, why one would set it, and the danger.
    pub(crate) words: &'static str,
    /// The groups it is in, the outermost first: what each is about.
    pub(crate) sections: Vec<(Vec<&'static str>, &'static str)>,
    /// What is allowed.
    pub(crate) allowed: String,
    /// Whether nobody may read it.
    pub(crate) is_secret: bool,
    /// Whether it is a list or a map, which environment and flags give as YAML.
    pub(crate) is_yaml: bool,
    /// What maps of options in it hold.
    pub(crate) parts: Vec<Part>,
    /// Values at the ends of what is allowed, as YAML.
    pub(crate) good: Vec<String>,
    /// Values just beyond.
    pub(crate) bad: Vec<String>,
    set: Setter<G>,
    show: Shower<G>,
}

type Setter<G> = Box<dyn Fn(&mut G, &Node) -> Result<(), Wrong> + Send + Sync>;
type Shower<G> = Box<dyn Fn(&G) -> Node + Send + Sync>;

impl<G: 'static> Row<G> {
    /// The names joined: `_` makes a variable, `-` a flag, `.` what people read.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }

    /// Reads the value into its place.
    pub(crate) fn set(&self, group: &mut G, node: &Node) -> Result<(), Wrong> {
        (self.set)(group, node)
    }

    /// The value as it would be written.
    pub(crate) fn show(&self, group: &G) -> Node {
        (self.show)(group)
    }

    /// The same option seen from the group around its own.
    fn within<O: 'static>(
        mut self,
        name: Option<&'static str>,
        about: &'static str,
        get: fn(&O) -> &G,
        get_mut: fn(&mut O) -> &mut G,
    ) -> Row<O> {
        if let Some(name) = name {
            self.path.insert(0, name);
            for (path, _) in &mut self.sections {
                path.insert(0, name);
            }
        }
        self.sections.insert(0, (name.into_iter().collect(), about));
        let (set, show) = (self.set, self.show);
        Row {
            path: self.path,
            words: self.words,
            sections: self.sections,
            allowed: self.allowed,
            is_secret: self.is_secret,
            is_yaml: self.is_yaml,
            parts: self.parts,
            good: self.good,
            bad: self.bad,
            set: Box::new(move |outer, node| set(get_mut(outer), node)),
            show: Box::new(move |outer| show(get(outer))),
        }
    }
}

/// What a field of a group is: an option, or a group.
pub(crate) trait Field<T> {
    /// The rows that it makes.
    fn rows<O: 'static>(
        self,
        name: &'static str,
        words: &'static str,
        get: fn(&O) -> &T,
        get_mut: fn(&mut O) -> &mut T,
    ) -> Vec<Row<O>>;
}

impl<T: 'static> Field<T> for Kind<T> {
    fn rows<O: 'static>(
        self,
        name: &'static str,
        words: &'static str,
        get: fn(&O) -> &T,
        get_mut: fn(&mut O) -> &mut T,
    ) -> Vec<Row<O>> {
        let (read, show) = (self.read, self.show);
        vec![Row {
            path: vec![name],
            words,
            sections: Vec::new(),
            allowed: self.allowed,
            is_secret: self.is_secret,
            is_yaml: self.is_yaml,
            parts: self.parts,
            good: self.good,
            bad: self.bad,
            set: Box::new(move |group, node| {
                *get_mut(group) = read(node)?;
                Ok(())
            }),
            show: Box::new(move |group| show(get(group))),
        }]
    }
}

/// A group whose options have its name before theirs.
pub(crate) struct Nested;

/// A group whose options stand beside those of the group it is in.
pub(crate) struct Beside;

impl<G: Group> Field<G> for Nested {
    fn rows<O: 'static>(
        self,
        name: &'static str,
        _: &'static str,
        get: fn(&O) -> &G,
        get_mut: fn(&mut O) -> &mut G,
    ) -> Vec<Row<O>> {
        G::rows().into_iter().map(|row| row.within(Some(name), G::ABOUT, get, get_mut)).collect()
    }
}

impl<G: Group> Field<G> for Beside {
    fn rows<O: 'static>(
        self,
        _: &'static str,
        _: &'static str,
        get: fn(&O) -> &G,
        get_mut: fn(&mut O) -> &mut G,
    ) -> Vec<Row<O>> {
        G::rows().into_iter().map(|row| row.within(None, G::ABOUT, get, get_mut)).collect()
    }
}

/// Lists the options of a group: documentation, name, type, default, and what is allowed (a [`Kind`]) or which group it is.
macro_rules! options {
    ($( #[doc = $about:literal] )* pub struct $Group:ident $( with $hidden:ident: $hidden_type:ty = $hidden_default:expr, )? {
        $( $( #[doc = $words:literal] )* $field:ident: $type:ty = $default:expr, $kind:expr; )*
    }) => {
        $( #[doc = $about] )*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Group {
            $( $( #[doc = $words] )* pub $field: $type, )*
            $( $hidden: $hidden_type, )?
        }

        impl Default for $Group {
            fn default() -> $Group {
                $Group { $( $field: $default, )* $( $hidden: $hidden_default, )? }
            }
        }

        impl $crate::config::option::Group for $Group {
            const ABOUT: &'static str = concat!($( $about, "\n" ),*);

            fn rows() -> Vec<$crate::config::option::Row<$Group>> {
                use $crate::config::option::Field;
                let mut rows = Vec::new();
                $( rows.extend(Field::<$type>::rows(
                    $kind,
                    stringify!($field).trim_start_matches("r#"),
                    concat!($( $words, "\n" ),*),
                    |group: &$Group| &group.$field,
                    |group: &mut $Group| &mut group.$field,
                )); )*
                rows
            }
        }
    };
}

pub(crate) use options;
