//! Ends every backtrace before it begins.
//!
//! The release artefact has neither the tables nor the symbols that a backtrace is made of, and the code that would read
//! them is a twentieth of the file. These stand in for the functions of the same names in libunwind that the standard
//! library refers to. There is never a frame, so that nobody ever asks one for anything.

#![allow(unsafe_code, reason = "what is unsafe is to take a name that others use; these do what their names promise")]

/// There is no frame to look at.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_each_frame: *const (), _argument: *const ()) -> i32 {
    const END_OF_STACK: i32 = 5;
    END_OF_STACK
}

/// Nothing was being unwound.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume(_exception: *const ()) -> ! {
    std::process::abort()
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_GetIPInfo(_frame: *const (), before_instruction: &mut i32) -> usize {
    *before_instruction = 0;
    0
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_SetGR(_frame: *const (), _register: i32, _value: usize) {}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_SetIP(_frame: *const (), _instruction: usize) {}

macro_rules! none {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name(_of: *const ()) -> usize {
            0
        }
    )* };
}

none! {
    _Unwind_FindEnclosingFunction
    _Unwind_GetCFA
    _Unwind_GetDataRelBase
    _Unwind_GetIP
    _Unwind_GetLanguageSpecificData
    _Unwind_GetRegionStart
    _Unwind_GetTextRelBase
}
