//! The TypeScript types, which both packages publish, are those of the Rust types.

use hallpass_tests::{repository, settle, typescript};

#[test]
fn the_typescript_types_are_up_to_date() {
    let types = typescript::declarations(&repository().join("core/src"));
    settle(&repository().join("node-binding/types.d.ts"), &types);
}
