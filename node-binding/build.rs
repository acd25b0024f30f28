//! Tells the linker how a Node addon finds Node.
fn main() {
    napi_build::setup();
}
