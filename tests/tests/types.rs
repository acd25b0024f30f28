//! The TypeScript types are those of the Rust types, in both packages.

use hallpass_tests::{repository, settle, typescript};

#[test]
fn the_typescript_types_are_up_to_date() {
    let types = typescript::declarations(&repository().join("core/src"));
    for package in ["node-binding", "wasm"] {
        settle(&repository().join(package).join("types.d.ts"), &types);
    }
}
