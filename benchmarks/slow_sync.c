/* Counts fsync and fdatasync, and makes each take longer: LD_PRELOAD this into any server.
 *
 *   SLOW_SYNC_US     microseconds to wait in every call, after what the disk takes
 *   SLOW_SYNC_COUNT  a file of 8 bytes: how many calls there were
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static long delay_us;
static uint64_t own_count, *count = &own_count;
static int (*real_fsync)(int), (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
  const char *delay = getenv("SLOW_SYNC_US"), *path = getenv("SLOW_SYNC_COUNT");
  delay_us = delay ? atol(delay) : 0;
  real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) count = shared;
  close(file);
}

static int slowly(int result) {
  struct timespec pause = {delay_us / 1000000, delay_us % 1000000 * 1000};
  __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
  if (delay_us > 0) nanosleep(&pause, NULL);
  return result;
}

int fsync(int file) { return slowly(real_fsync(file)); }
int fdatasync(int file) { return slowly(real_fdatasync(file)); }
