/*
 * A disk that fails: put before libc with LD_PRELOAD, it lets the n-th change of the store's files fail, and
 * all after it if the disk is to stay so.
 *
 *   DISK_FILES   the beginning of the paths that it is about
 *   DISK_STEP    which change fails, counted from 1; 0 for none
 *   DISK_ERROR   full (no space), broken (an I/O error), half (the half of a write, then no space)
 *   DISK_ONCE    set: only this one fails
 *   DISK_COUNT   a file that is told at the end how many changes there were
 *
 * Changes are writes, cuts, syncs, and making a file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long changes;
static atomic_int failed;

static int concerns(const char *path) {
    const char *files = getenv("DISK_FILES");
    return files && path && strncmp(path, files, strlen(files)) == 0;
}

static int concerns_open_file(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return concerns(path);
}

/* 0: go on. 1: fail, with errno set. 2: do half. */
static int struck(int is_write) {
    const char *step = getenv("DISK_STEP"), *error = getenv("DISK_ERROR");
    long now = atomic_fetch_add(&changes, 1) + 1, at = step ? atol(step) : 0;
    if (at == 0 || now < at || (now > at && getenv("DISK_ONCE"))) return 0;
    int first = !atomic_exchange(&failed, 1);
    if (error && strcmp(error, "half") == 0 && first && is_write) return 2;
    errno = error && strcmp(error, "broken") == 0 ? EIO : ENOSPC;
    return 1;
}

__attribute__((destructor)) static void tell(void) {
    const char *count = getenv("DISK_COUNT");
    FILE *file = count ? fopen(count, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld %d\n", atomic_load(&changes), atomic_load(&failed));
    fclose(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRITER(name, offset)                                                                     \
    ssize_t name(int file, const void *bytes, size_t length, offset at) {                        \
        switch (concerns_open_file(file) ? struck(1) : 0) {                                      \
        case 1: return -1;                                                                       \
        case 2: length /= 2;                                                                     \
        }                                                                                        \
        return REAL(name)(file, bytes, length, at);                                              \
    }

WRITER(pwrite, off_t)
WRITER(pwrite64, off64_t)

ssize_t write(int file, const void *bytes, size_t length) {
    switch (file > 2 && concerns_open_file(file) ? struck(1) : 0) {
    case 1: return -1;
    case 2: length /= 2;
    }
    return REAL(write)(file, bytes, length);
}

#define SYNC(name)                                                                               \
    int name(int file) {                                                                         \
        if (concerns_open_file(file) && struck(0)) return -1;                                    \
        return REAL(name)(file);                                                                 \
    }

SYNC(fsync)
SYNC(fdatasync)

#define CUT(name, offset)                                                                        \
    int name(int file, offset length) {                                                          \
        if (concerns_open_file(file) && struck(0)) return -1;                                    \
        return REAL(name)(file, length);                                                         \
    }

CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

#define OPEN(name)                                                                               \
    int name(const char *path, int flags, ...) {                                                 \
        va_list rest;                                                                            \
        va_start(rest, flags);                                                                   \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                            \
        if ((flags & O_CREAT) && concerns(path) && access(path, F_OK) != 0 && struck(0))         \
            return -1;                                                                           \
        return REAL(name)(path, flags, mode);                                                    \
    }

OPEN(open)
OPEN(open64)
