//! Speaking to valgrind: a request is an instruction sequence that does nothing on a bare processor.
//!
//! The sequence and the numbers are those of valgrind's public headers `valgrind.h` and `memcheck.h` for amd64.

const RUNNING: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const CHANGE_DISABLEMENT: usize = 0x1801;
const MAKE_UNDEFINED: usize = memcheck(1);
const MAKE_DEFINED: usize = memcheck(2);
const GET_VALIDITY: usize = memcheck(8);

const fn memcheck(number: usize) -> usize {
    ((b'M' as usize) << 24) + ((b'C' as usize) << 16) + number
}

/// `otherwise` unless valgrind answers; always so but on x86-64 Linux.
fn request(otherwise: usize, number: usize, arguments: [usize; 3]) -> usize {
    let [a, b, c] = arguments;
    let block = [number, a, b, c, 0, 0];
    let mut answer = otherwise;
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    // SAFETY: the four rotations add up to 128 bits and exchanging a register with itself does nothing, so without
    // valgrind only the flags change. Valgrind reads the block, and writes at most the memory named in it.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") block.as_ptr(),
            inout("rdx") answer,
            inout("rdi") 0_usize => _,
            options(nostack),
        );
    }
    answer
}

pub(crate) fn is_watching() -> bool {
    request(0, RUNNING, [0; 3]) != 0
}

/// Makes memcheck report whatever branches or indexes on these bytes, or on what is computed from them.
pub(crate) fn make_secret(bytes: &[u8]) {
    request(0, MAKE_UNDEFINED, [bytes.as_ptr() as usize, bytes.len(), 0]);
}

/// Ends the secrecy of `value`. By value and read back: behind a reference the compiler would go on with the register
/// that it already has.
#[inline(never)]
pub(crate) fn make_public<T: Copy>(value: T) -> T {
    let mut value = value;
    let at = &raw mut value;
    request(0, MAKE_DEFINED, [at as usize, size_of::<T>(), 0]);
    // SAFETY: it points to the local above, which is initialised.
    unsafe { at.read_volatile() }
}

/// How many bits of `bytes` are secret.
pub(crate) fn secret_bits(bytes: &[u8]) -> u32 {
    let mut bits = vec![0_u8; bytes.len()];
    let done = request(0, GET_VALIDITY, [bytes.as_ptr() as usize, bits.as_mut_ptr() as usize, bytes.len()]);
    assert_eq!(done, 1, "valgrind did not tell which bits are secret");
    bits.iter().map(|byte| byte.count_ones()).sum()
}

/// What `work` returns, and how many errors memcheck reported meanwhile.
pub(crate) fn watched<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = request(0, COUNT_ERRORS, [0; 3]);
    let result = work();
    (result, request(0, COUNT_ERRORS, [0; 3]) - before)
}

/// Does `work` without reports. What is secret before stays so, and so does what is computed from it.
pub(crate) fn unwatched<T>(work: impl FnOnce() -> T) -> T {
    request(0, CHANGE_DISABLEMENT, [1, 0, 0]);
    let result = work();
    request(0, CHANGE_DISABLEMENT, [usize::MAX, 0, 0]);
    result
}
