/* Preloaded into User Mode Linux (until 6.12), whose buffer for a process's registers has room for AVX but not for what newer
 * processors have: the kernel refuses to fill it, or to take it back. What does not fit, no program in there is told of: the
 * words of the header that say what follows are cut down to the parts that fit.
 *
 * Source: Linux 6.1, arch/x86/um/os-Linux/registers.c (save_i387_registers), arch/x86/kernel/fpu/regset.c (xstateregs_set).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PEEK_FIRST = 1, PEEK_LAST = 3, GET_REGISTERS = 0x4204, SET_REGISTERS = 0x4205, EXTENDED_STATE = 0x202 };
enum { PARTS_AT = 512, PARTS_KEPT = 0xff };

static long call(long request, long process, long address, long data)
{
	return syscall(SYS_ptrace, request, process, address, data);
}

static long extended_state(int request, long process, struct iovec *theirs)
{
	static char whole[1 << 16];
	struct iovec ours = {whole, sizeof whole};
	long failed = call(GET_REGISTERS, process, EXTENDED_STATE, (long)&ours);
	if (failed < 0)
		return failed;
	size_t kept = theirs->iov_len < ours.iov_len ? theirs->iov_len : ours.iov_len;
	if (request == GET_REGISTERS) {
		memcpy(theirs->iov_base, whole, kept);
		theirs->iov_len = kept;
		return 0;
	}
	memcpy(whole, theirs->iov_base, kept);
	*(unsigned long *)(whole + PARTS_AT) &= PARTS_KEPT;
	return call(SET_REGISTERS, process, EXTENDED_STATE, (long)&ours);
}

long ptrace(int request, ...)
{
	va_list words;
	va_start(words, request);
	long process = va_arg(words, int), address = va_arg(words, long), data = va_arg(words, long);
	va_end(words);
	if ((request == GET_REGISTERS || request == SET_REGISTERS) && address == EXTENDED_STATE)
		return extended_state(request, process, (struct iovec *)data);
	if (request >= PEEK_FIRST && request <= PEEK_LAST) {
		long value;
		long failed = call(request, process, address, (long)&value);
		if (failed < 0)
			return failed;
		errno = 0;
		return value;
	}
	return call(request, process, address, data);
}
