//! Writes the JavaScript that belongs to the module: `bindgen MODULE.wasm FOLDER`. Called by `wasm/build`; `wasm/size` adds
//! the word `names`, which keeps the names of functions.

use std::env::args;
use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let (module, folder) = args().nth(1).zip(args().nth(2)).ok_or("usage: bindgen MODULE.wasm FOLDER")?;
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .omit_default_module_path(true)
        .typescript(false)
        .remove_name_section(args().nth(3).as_deref() != Some("names"))
        .demangle(true)
        .remove_producers_section(true)
        .generate(folder)?;
    Ok(())
}
