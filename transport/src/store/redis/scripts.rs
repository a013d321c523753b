//! The scripts, with what they share in front of each.

use redis::Script;

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        /// All there are.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)*
        }

        impl Scripts {
            pub(super) fn new() -> Scripts {
                Scripts {
                    $($name: Script::new(concat!(
                        include_str!("common.lua"),
                        include_str!(concat!(stringify!($name), ".lua")),
                    )),)*
                }
            }
        }
    };
}

scripts!(
    remember,
    accepted,
    receipt,
    told,
    told_aggregate,
    held,
    hold_as,
    told_incomplete,
    join,
    published,
    expire,
    reference,
    take,
    keep,
    give_back
);
