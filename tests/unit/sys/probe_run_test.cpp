#include "sys/probe_run.hpp"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "sys/channel.hpp"
#include "sys/raw.hpp"

using namespace sbx;
using namespace sbx::sys;

namespace {
const PackageNames kNames{"uidmap", "shadow-utils", "shadow", "shadow-pacman", "shadow-uidmap"};
}

TEST_CASE("a trial reports what it returned or why it failed") {
  const Trial good = try_out([]() -> Result<std::string> { return std::string("fine\nand more"); });
  CHECK(good.passed);
  CHECK(good.text == "fine\nand more");
  const Trial bad =
      try_out([]() -> Result<std::string> { return fail(Error::system("open", "/x", EACCES)); });
  CHECK_FALSE(bad.passed);
  CHECK(bad.sys_errno == EACCES);
  CHECK(bad.text.find("cannot open '/x'") != std::string::npos);
  const Trial no_errno = try_out([]() -> Result<std::string> {
    return fail(Error::make(ErrorCode::kDenied, "try", "", "no"));
  });
  CHECK_FALSE(no_errno.passed);
  CHECK(no_errno.sys_errno == 0);
}

TEST_CASE("a trial that dies or hangs says so, and is gone with all it started") {
  const Trial dead = try_out([]() -> Result<std::string> {
    (void)::raise(SIGKILL);
    return std::string();
  });
  CHECK_FALSE(dead.passed);
  CHECK(dead.text == "the probe ended early");

  const Pipe pipe = make_pipe().value();
  const auto start = std::chrono::steady_clock::now();
  const Trial hung = try_out(
      [&]() -> Result<std::string> {
        (void)::fork();  // both keep the pipe open
        for (;;) {
          (void)::pause();
        }
      },
      1);
  CHECK_FALSE(hung.passed);
  CHECK(hung.sys_errno == ETIMEDOUT);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(3));
  ::close(const_cast<Pipe&>(pipe).writer.release());
  char byte = 0;
  CHECK(raw::read(pipe.reader.get(), &byte, 1) == 0);  // would block for ever if one of them lived
}

TEST_CASE("packages are installed by the distribution's own tool") {
  CHECK(install_command("ID=debian\n", kNames) == "apt-get install uidmap");
  CHECK(install_command("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", kNames) ==
        "apt-get install uidmap");
  CHECK(install_command("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", kNames) ==
        "dnf install shadow-utils");
  CHECK(install_command("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", kNames) ==
        "zypper install shadow");
  CHECK(install_command("ID=arch", kNames) == "pacman -S shadow-pacman");
  CHECK(install_command("ID=alpine\n", kNames) == "apk add shadow-uidmap");
  CHECK(install_command("ID=plan9\nVERSION_ID=debian\n", kNames).empty());
  CHECK(install_command("", kNames).empty());
}

TEST_CASE("small readers") {
  CHECK(sysctl("kernel.ostype") == "Linux");
  CHECK(sysctl("kernel.no_such_thing").empty());
  CHECK(nearest_existing("/tmp/no/such/thing") == "/tmp");
  CHECK(nearest_existing("/no-such-thing") == "/");
  CHECK(nearest_existing("/") == "/");
}
