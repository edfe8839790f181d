#include "sys/raw.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "temporary_dir.hpp"

namespace raw = sbx::sys::raw;

TEST_CASE("failures are -errno") {
  CHECK(raw::open(raw::kCwd, "/no/such/file", O_RDONLY) == -ENOENT);
  CHECK(raw::close(-1) == -EBADF);
  CHECK(raw::chdir("/no/such/dir") == -ENOENT);
}

TEST_CASE("descriptors are close-on-exec from birth") {
  const long fd = raw::open(raw::kCwd, "/dev/null", O_RDONLY);
  REQUIRE(fd >= 0);
  CHECK((::fcntl(static_cast<int>(fd), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(raw::dup2(static_cast<int>(fd), static_cast<int>(fd)) == 0);
  CHECK((::fcntl(static_cast<int>(fd), F_GETFD) & FD_CLOEXEC) == 0);
  CHECK(raw::close(static_cast<int>(fd)) == 0);
}

TEST_CASE("files and directories are made below a directory") {
  const TemporaryDir dir;
  const long fd = raw::open(raw::kCwd, dir.path.c_str(), O_PATH | O_DIRECTORY);
  REQUIRE(fd >= 0);
  CHECK(raw::mkdir(static_cast<int>(fd), "d", 0700) == 0);
  CHECK(raw::mknod_regular(static_cast<int>(fd), "f", 0600) == 0);
  CHECK(raw::symlink("f", static_cast<int>(fd), "l") == 0);
  CHECK(std::filesystem::is_regular_file(dir.path + "/l"));
  CHECK(raw::mkdir(static_cast<int>(fd), "d", 0700) == -EEXIST);
  CHECK(raw::close(static_cast<int>(fd)) == 0);
}

TEST_CASE("reaping tells the code, or 128 + signal, and when nobody is left") {
  for (const int how : {3, -15}) {
    const long pid = raw::fork();
    if (pid == 0) {
      if (how < 0) {
        raw::default_all_signals();
        (void)raw::unblock_all_signals();
        (void)raw::kill(::getpid(), -how);
      }
      raw::exit(how);
    }
    raw::Exit dead{};
    long got = 0;
    while ((got = raw::reap(&dead)) == 0) {
      ::usleep(1000);
    }
    CHECK(got == 1);
    CHECK(dead.pid == pid);
    CHECK(dead.code == (how < 0 ? 128 - how : how));
  }
  raw::Exit none{};
  CHECK(raw::reap(&none) == -ECHILD);
}
