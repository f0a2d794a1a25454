/* Allocations of at least 1 MiB are counted once they are armed, and one of them, or that one and all later, fails.
   Who asked is told on standard error, as "planned fault: BYTES bytes for LIBRARY". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <sys/mman.h>

#define LARGE (1UL << 20)
#define CALLER __builtin_return_address(0)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static long wanted = -1, stays, seen;

/* number: of the allocation that fails, from 1; 0 for none, to count alone. */
void fault_arm(long number, long for_good) { wanted = number; stays = for_good; seen = 0; }
long fault_seen(void) { return seen; }

static void tell(size_t size, void *caller)
{
    Dl_info from;
    dprintf(2, "planned fault: %zu bytes for %s\n", size, dladdr(caller, &from) ? from.dli_fname : "?");
}

static int fails(size_t size, void *caller)
{
    long n;
    if (wanted < 0 || size < LARGE) return 0;
    n = __sync_add_and_fetch(&seen, 1);
    if (!wanted || !(n == wanted || (stays && n > wanted))) return 0;
    tell(size, caller);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return fails(size, CALLER) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return fails(n * size, CALLER) ? NULL : __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { return fails(size, CALLER) ? NULL : __libc_realloc(old, size); }
void *memalign(size_t by, size_t size) { return fails(size, CALLER) ? NULL : __libc_memalign(by, size); }
void *aligned_alloc(size_t by, size_t size) { return fails(size, CALLER) ? NULL : __libc_memalign(by, size); }
int posix_memalign(void **found, size_t by, size_t size)
{
    void *block = fails(size, CALLER) ? NULL : __libc_memalign(by, size);
    if (!block) return ENOMEM;
    *found = block;
    return 0;
}

void *mmap(void *where, size_t size, int access, int flags, int file, off_t from)
{
    if (fails(size, CALLER)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, where, size, access, flags, file, from);
}
void *mmap64(void *where, size_t size, int access, int flags, int file, off_t from)
{
    if (fails(size, CALLER)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, where, size, access, flags, file, from);
}
