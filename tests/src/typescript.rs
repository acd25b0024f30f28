//! The TypeScript types of everything that crosses a boundary, written from the source of the Rust types.
//!
//! It knows the few serde attributes and types that core uses and panics on any other, so that what it writes
//! is what serde does. Names, comments and optional fields carry over; core itself knows nothing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

mod docs;
mod source;

use source::{Body, Declaration, Field, Shape, Source, Variant};

/// What a binding is given, from which all other types of that direction are reached.
const INPUTS: [&str; 2] = ["Request", "Event"];
/// What a binding gives.
const OUTPUTS: [&str; 2] = ["Message", "Suspension"];

const HEADER: &str = "// Written from the Rust types: change those, then run
// HALLPASS_RECORD=1 cargo test -p hallpass-tests --test types

";

/// The class that the bindings export: its methods take and give texts, so there is nothing to derive.
const FLOW: &str = include_str!("typescript/flow.d.ts");

/// The declaration file for the sources in `folder`.
pub fn declarations(folder: &Path) -> String {
    let mut source = Source::read(folder);
    let outputs = source.reach(&OUTPUTS);
    let mut names = source.reach(&INPUTS);
    names.extend(outputs.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());

    let given: BTreeSet<String> = outputs.into_iter().collect();
    let mut file = HEADER.to_owned();
    for name in names {
        let declaration = source.declaration(&name);
        // What only comes in may be left out wherever serde can do without it.
        let writer = Writer { source: &source, module: &declaration.module, lenient: !given.contains(&name) };
        writer.declaration(&mut file, &name, declaration);
    }
    file + FLOW
}

/// Writes one declaration.
struct Writer<'a> {
    source: &'a Source,
    module: &'a str,
    lenient: bool,
}

impl Writer<'_> {
    fn declaration(&self, file: &mut String, name: &str, declaration: &Declaration) {
        self.comment(file, "", &declaration.docs);
        match &declaration.body {
            Body::Alias(shape) => writeln!(file, "export type {name} = {};", self.shape(shape)),
            Body::Struct(fields) => {
                writeln!(file, "export interface {name} {{\n{}}}", self.fields(fields, "  "))
            }
            Body::Enum(variants) => {
                let variants: String = variants.iter().map(|variant| self.variant(variant)).collect();
                writeln!(file, "export type {name} =\n{};", variants.trim_end())
            }
        }
        .and_then(|()| writeln!(file))
        .expect("writing to memory cannot fail");
    }

    fn variant(&self, variant: &Variant) -> String {
        let mut text = String::new();
        self.comment(&mut text, "  ", &variant.docs);
        let name = &variant.name;
        match &variant.body {
            None => writeln!(text, "  | \"{name}\""),
            Some(Body::Struct(fields)) => {
                writeln!(text, "  | {{\n      {name}: {{\n{}      }};\n    }}", self.fields(fields, "        "))
            }
            Some(Body::Alias(shape)) => writeln!(text, "  | {{ {name}: {} }}", self.shape(shape)),
            Some(Body::Enum(_)) => unreachable!("a variant holds no declaration"),
        }
        .expect("writing to memory cannot fail");
        text
    }

    fn fields(&self, fields: &[Field], indent: &str) -> String {
        let mut text = String::new();
        for field in fields {
            self.comment(&mut text, indent, &field.docs);
            let nullable = matches!(field.shape, Shape::Optional(_));
            let (mark, shape) = match &field.shape {
                // Never written as null: it is there or it is not.
                Shape::Optional(inner) if field.skipped => ("?", &**inner),
                shape if self.lenient && (field.default || nullable) => ("?", shape),
                shape => ("", shape),
            };
            writeln!(text, "{indent}{}{mark}: {};", field.name, self.shape(shape))
                .expect("writing to memory cannot fail");
        }
        text
    }

    fn shape(&self, shape: &Shape) -> String {
        match shape {
            Shape::Text => "string".to_owned(),
            Shape::Number => "number".to_owned(),
            Shape::Truth => "boolean".to_owned(),
            Shape::Optional(inner) => format!("{} | null", self.shape(inner)),
            Shape::List(inner) if matches!(**inner, Shape::Optional(_)) => format!("({})[]", self.shape(inner)),
            Shape::List(inner) => format!("{}[]", self.shape(inner)),
            Shape::Map(inner) => format!("{{ [name: string]: {} }}", self.shape(inner)),
            Shape::Tuple(parts) => {
                format!("[{}]", parts.iter().map(|part| self.shape(part)).collect::<Vec<_>>().join(", "))
            }
            Shape::Named(name) => self.source.resolve(self.module, name).to_owned(),
        }
    }

    fn comment(&self, file: &mut String, indent: &str, text: &str) {
        let lines = docs::translated(text, &self.source.variants);
        match lines.as_slice() {
            [] => {}
            [line] => file.extend([indent, "/** ", line, " */\n"]),
            lines => {
                file.extend([indent, "/**\n"]);
                for line in lines {
                    file.extend([indent, format!(" * {line}").trim_end(), "\n"]);
                }
                file.extend([indent, " */\n"]);
            }
        }
    }
}

/// Rust names of variants, as `Enum::Variant` and where that is clear as `Variant`, and their names in JSON.
type Variants = BTreeMap<String, String>;
