//! Questions to tables of the viewer's store: sort, hold, count, compare. No logic: see `store`.
//!
//! Any number of threads may ask at once. `given_up`: as in `super::store`.

use super::store::{answer, argument, is_set, many, of, space};
use super::{catch, place, AiError};
use segment::status::{Error, Result, Status};
use store::{
    lines, look, sorted, Coded, Compared, Counting, GroupCounts, HandleField, HandleOrder,
    HandleTable, Keys, LineCounts, Places, Question, TableLook,
};

/// A question for `ai_table_order`. Arrays may be NULL where their length is 0.
#[repr(C)]
pub struct AiQuestion {
    /// Not 0 for each row to show.
    pub shown: *const u8,
    /// 0: all rows are shown; else the rows of the table.
    pub shown_length: usize,
    /// For each index of a type its place in the order of types.
    pub ranks: *const u32,
    /// See `ranks`.
    pub ranks_length: usize,
    /// `KeyKind`: how the numbers are found that rows are sorted by.
    pub key_kind: u32,
    /// A `HandleField`, for counts and ranks.
    pub key_field: u32,
    /// Numbers of rows, or of the indices in the column.
    pub keys: *const f64,
    /// See `keys`.
    pub keys_length: usize,
    /// Largest first.
    pub is_descending: i32,
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// How long a dead row stays among the living rows.
    pub moment_secs: f64,
    /// An order to hold: numbers of handles; NULL: sort.
    pub held_ids: *const u64,
    /// 1 for those of them that had arrived.
    pub held_arrived: *const u8,
    /// See `held_ids`.
    pub held_length: usize,
}

/// How the numbers are found that rows are sorted by.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `keys` has one for each row.
    Given = 0,
    /// A count of the columns.
    Count = 1,
    /// The age.
    Age = 2,
    /// The slot.
    Slot = 3,
    /// `keys` has one for each index in the column; for the states, for both states together.
    Ranks = 4,
}

/// A question for `ai_table_lines`. Arrays may be NULL where their length is 0.
#[repr(C)]
pub struct AiCounting {
    /// `HandleField` of the outer code.
    pub outer_field: u32,
    /// `HandleField` of the inner code.
    pub inner_field: u32,
    /// The outer code of each index in the column; none: the index.
    pub outer_codes: *const u32,
    /// See `outer_codes`.
    pub outer_length: usize,
    /// The inner code of each index in the column; none: the index.
    pub inner_codes: *const u32,
    /// See `inner_codes`.
    pub inner_length: usize,
    /// Not 0 for each row to count.
    pub kept: *const u8,
    /// 0: all rows are counted; else the rows of the table.
    pub kept_length: usize,
    /// Whether to compare with a mark.
    pub has_mark: i32,
    /// Numbers of the handles that lived at the mark.
    pub mark_ids: *const u64,
    /// Their indices in the column of the outer code.
    pub mark_outer: *const i64,
    /// Their indices in the column of the inner code.
    pub mark_inner: *const i64,
    /// See `mark_ids`.
    pub mark_length: usize,
    /// Later births and deaths are recent, seconds since the Unix epoch.
    pub recent: f64,
}

/// Sizes of an order.
#[repr(C)]
pub struct AiOrderFacts {
    /// Rows shown.
    pub rows: u64,
    /// Types among them.
    pub groups: u64,
    /// Arrived rows that do not stand where a sort would put them.
    pub arrivals: u64,
}

/// Sort the rows of a table, or hold an order. NULL when it fails.
///
/// # Safety
/// `table` is alive; the arrays of `question` have the lengths given; `given_up` is NULL or a
/// number; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_order(
    table: *const HandleTable,
    question: *const AiQuestion,
    given_up: *const i32,
    error: *mut AiError,
) -> *mut HandleOrder {
    let mut made = std::ptr::null_mut();
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let asked = question.as_ref().ok_or_else(|| argument("no question"))?;
            let question = Question {
                shown: many(asked.shown, asked.shown_length)?,
                ranks: many(asked.ranks, asked.ranks_length)?,
                keys: keys(asked)?,
                is_descending: asked.is_descending != 0,
                now: asked.now,
                moment_secs: asked.moment_secs,
            };
            let held = (!asked.held_ids.is_null()).then_some(asked.held_length);
            let held = match held {
                None => None,
                Some(length) => Some(Places {
                    ids: many(asked.held_ids, length)?,
                    arrived: many(asked.held_arrived, length)?,
                }),
            };
            let order = sorted(of(table)?, &question, held, &|| is_set(given_up));
            let order = order.ok_or_else(|| ended(given_up))?;
            made = Box::into_raw(Box::new(order));
            Ok(())
        });
    }
    made
}

/// Sizes of an order.
///
/// # Safety
/// `order` is alive; `out` points to memory for them; `error` is NULL or points to memory for an
/// `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_order_facts(
    order: *const HandleOrder,
    out: *mut AiOrderFacts,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let order = order.as_ref().ok_or_else(|| argument("no order"))?;
            *place(out)? = AiOrderFacts {
                rows: order.rows.len() as u64,
                groups: order.groups.len() as u64,
                arrivals: order.arrivals,
            };
            Ok(())
        })
    }
}

/// Copy an order.
///
/// # Safety
/// `order` is alive; the arrays have the lengths that `ai_order_facts` tells; `error` is NULL or
/// points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_order_copy(
    order: *const HandleOrder,
    rows: *mut i64,
    arrived: *mut u8,
    groups: *mut GroupCounts,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let order = order.as_ref().ok_or_else(|| argument("no order"))?;
            let length = order.rows.len();
            for (place, &row) in space(rows, length)?.iter_mut().zip(&order.rows) {
                *place = i64::from(row);
            }
            space(arrived, length)?.copy_from_slice(&order.arrived);
            space(groups, order.groups.len())?.copy_from_slice(&order.groups);
            Ok(())
        })
    }
}

/// Free an order. NULL is fine.
///
/// # Safety
/// `order` came from `ai_table_order`; no thread uses it now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_order_free(order: *mut HandleOrder) {
    if !order.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_table_order`.
        drop(unsafe { Box::from_raw(order) });
    }
}

/// Count the rows of a table by two codes. Answers with the number of lines, of which at most
/// `capacity` are written, or with a negative `Status`.
///
/// # Safety
/// `table` is alive; the arrays of `question` have the lengths given, `out` has `capacity`;
/// `given_up` is NULL or a number; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_lines(
    table: *const HandleTable,
    question: *const AiCounting,
    out: *mut LineCounts,
    capacity: usize,
    given_up: *const i32,
    error: *mut AiError,
) -> i64 {
    let mut count = 0;
    // SAFETY: the caller's promises.
    let status = unsafe {
        catch(error, || {
            let asked = question.as_ref().ok_or_else(|| argument("no question"))?;
            let length = asked.mark_length;
            let mark = Compared {
                ids: many(asked.mark_ids, length)?,
                outer: many(asked.mark_outer, length)?,
                inner: many(asked.mark_inner, length)?,
            };
            let counting = Counting {
                outer: coded(asked.outer_field, asked.outer_codes, asked.outer_length)?,
                inner: coded(asked.inner_field, asked.inner_codes, asked.inner_length)?,
                kept: many(asked.kept, asked.kept_length)?,
                mark: (asked.has_mark != 0).then_some(mark),
                recent: asked.recent,
            };
            let found = lines(of(table)?, &counting, &|| is_set(given_up));
            let found = found.ok_or_else(|| ended(given_up))?;
            let fitting = found.len().min(capacity);
            space(out, fitting)?.copy_from_slice(&found[..fitting]);
            count = found.len();
            Ok(())
        })
    };
    answer(status, count)
}

/// Facts that take a look at all rows; `created`, `owned` and `waiting` have an element for each of
/// the first `threads` indices of threads.
///
/// # Safety
/// `table` is alive; the arrays have `threads` elements; `out` points to memory for the facts;
/// `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_look(
    table: *const HandleTable,
    created: *mut u64,
    owned: *mut u64,
    waiting: *mut u64,
    threads: usize,
    out: *mut TableLook,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let (facts, found) = look(of(table)?, threads);
            space(created, threads)?.copy_from_slice(&found.created);
            space(owned, threads)?.copy_from_slice(&found.owned);
            space(waiting, threads)?.copy_from_slice(&found.waiting);
            *place(out)? = facts;
            Ok(())
        })
    }
}

/// A code of rows.
///
/// # Safety
/// `codes` points to `length` numbers that nobody changes during `'a`.
unsafe fn coded<'a>(field: u32, codes: *const u32, length: usize) -> Result<Coded<'a>> {
    let field = HandleField::from_number(field).ok_or_else(|| argument("no such column"))?;
    // SAFETY: the caller's promise.
    Ok(Coded { field, codes: unsafe { many(codes, length) }? })
}

/// The numbers that rows are sorted by.
///
/// # Safety
/// `keys` of `asked` has the length given.
unsafe fn keys(asked: &AiQuestion) -> Result<Keys<'_>> {
    // SAFETY: the caller's promise.
    let numbers = unsafe { many(asked.keys, asked.keys_length)? };
    let field =
        || HandleField::from_number(asked.key_field).ok_or_else(|| argument("no such column"));
    match asked.key_kind {
        kind if kind == KeyKind::Given as u32 => Ok(Keys::Given(numbers)),
        kind if kind == KeyKind::Count as u32 => Ok(Keys::Count(field()?)),
        kind if kind == KeyKind::Age as u32 => Ok(Keys::Age),
        kind if kind == KeyKind::Slot as u32 => Ok(Keys::Slot),
        kind if kind == KeyKind::Ranks as u32 => Ok(Keys::Ranks(field()?, numbers)),
        kind => Err(argument(&format!("there is no key of kind {kind}"))),
    }
}

/// Why a question has no answer.
fn ended(given_up: *const i32) -> Error {
    if is_set(given_up) {
        Error::new(Status::Unavailable, "the question was given up")
    } else {
        argument("the question does not fit the table")
    }
}
