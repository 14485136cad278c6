//! What-if drops, for the viewer. No logic: see the crate `whatif`.

use super::outside::places;
use super::{catch, place, AiBuffer, AiError};
use whatif::{Outcome, Process, Rehearsal, FUNCTIONS};

/// An object and the function that would end it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WhatIfDrop {
    /// The object.
    pub object: u64,
    /// The function.
    pub destructor: u64,
}

/// A function of the process, with its place in the list of `ai_whatif_functions`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WhatIfFunction {
    /// Where it begins.
    pub address: u64,
    /// Its place in the list.
    pub number: u64,
}

/// A word of the process's memory, and what the copy has there instead.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WhatIfWord {
    /// The word's address.
    pub address: u64,
    /// The word of the copy.
    pub word: u64,
}

/// The names of the functions that are not emulated, separated by line feeds.
///
/// # Safety
/// `out` is a place for a buffer; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_whatif_functions(out: *mut AiBuffer, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            *place(out)? = AiBuffer::from_vec(FUNCTIONS.join("\n").into_bytes());
            Ok(())
        })
    }
}

/// What dropping each object would do, for each: steps, of 8 bytes; number of effects and length of
/// the reason for which the run stopped, of 4 bytes each; the effects, of 32 bytes each: address,
/// number before and after, of 8 bytes, kind and size of the number, of 4; the reason.
///
/// # Safety
/// `functions` points to `function_count`, `words` to `word_count` and `drops` to `drop_count`
/// structures; `out` is a place for a
/// buffer; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_whatif_drops(
    pid: u32,
    thread: u64,
    functions: *const WhatIfFunction,
    function_count: usize,
    words: *const WhatIfWord,
    word_count: usize,
    drops: *const WhatIfDrop,
    drop_count: usize,
    out: *mut AiBuffer,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let functions = places(functions.cast_mut(), function_count)?;
            let known = functions.iter().map(|each| (each.address, each.number as usize));
            let words = places(words.cast_mut(), word_count)?;
            let others = words.iter().map(|each| (each.address, each.word));
            let mut rehearsal = Rehearsal::new(Process(pid), known, thread, others);
            let mut told = Vec::new();
            for each in places(drops.cast_mut(), drop_count)? {
                tell(&rehearsal.drop_object(each.object, each.destructor), &mut told);
            }
            *place(out)? = AiBuffer::from_vec(told);
            Ok(())
        })
    }
}

fn tell(outcome: &Outcome, told: &mut Vec<u8>) {
    let reason = outcome.stop.as_ref().map(ToString::to_string).unwrap_or_default();
    told.extend_from_slice(&outcome.steps.to_le_bytes());
    told.extend_from_slice(&(outcome.effects.len() as u32).to_le_bytes());
    told.extend_from_slice(&(reason.len() as u32).to_le_bytes());
    for effect in &outcome.effects {
        for number in [effect.address, effect.before, effect.after] {
            told.extend_from_slice(&number.to_le_bytes());
        }
        for number in [effect.kind, effect.size] {
            told.extend_from_slice(&number.to_le_bytes());
        }
    }
    told.extend_from_slice(reason.as_bytes());
}
