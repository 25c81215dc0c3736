/* Counts allocations in a program that is not ours: to be preloaded. The count is kept in the first
 * eight bytes of the file that PROXIES_MALLOCS names, where it can be read at any time. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static uint64_t unread;
static uint64_t *count = &unread;

__attribute__((constructor)) static void open_count(void) {
    const char *path = getenv("PROXIES_MALLOCS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED)
        count = shared;
}

static void bump(void) { __atomic_fetch_add(count, 1, __ATOMIC_RELAXED); }

void *malloc(size_t size) { bump(); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { bump(); return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { bump(); return __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { bump(); return __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { bump(); return __libc_memalign(align, size); }

int posix_memalign(void **out, size_t align, size_t size) {
    bump();
    void *made = __libc_memalign(align, size);
    if (made == NULL)
        return ENOMEM;
    *out = made;
    return 0;
}
