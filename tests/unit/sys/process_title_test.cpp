#include "sys/process_title.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/file.hpp"

using sbx::sys::ProcessTitle;

TEST_CASE("a forked process no longer shows the command line it was forked from") {
  const ProcessTitle title = ProcessTitle::find();
  const pid_t pid = ::fork();
  if (pid == 0) {
    title.overwrite("sbx: test");
    const auto shown = sbx::sys::read_file_at(AT_FDCWD, "/proc/self/cmdline", 4096);
    // The room is that of the old words; what is left of it is null bytes.
    const bool right = shown && shown->substr(0, shown->find('\0')) ==
                                    std::string("sbx: test").substr(0, shown->size() - 1);
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WEXITSTATUS(status) == 0);
}
