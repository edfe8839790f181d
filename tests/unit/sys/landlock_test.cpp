#include "sys/landlock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/file.hpp"
#include "sys/probe_run.hpp"
#include "sys/raw.hpp"

using namespace sbx;
using namespace sbx::sys;

namespace {

/// What a process that may read below `readable` and write below `writable` gets for each attempt: "yes" and "no".
Result<std::string> attempts(const std::string& readable, const std::string& writable) {
  const Fd read_dir = SBX_TRY(open_at(AT_FDCWD, readable, O_PATH));
  const Fd write_dir = SBX_TRY(open_at(AT_FDCWD, writable, O_PATH));
  FsResult<Landlock> rules = Landlock::create(LandlockNetwork::kDenied);
  if (!rules || !rules->allow_below(read_dir.get(), LandlockAccess::kRead) ||
      !rules->allow_below(write_dir.get(), LandlockAccess::kReadWrite) ||
      raw::set_no_new_privs() != 0 || !rules->enforce()) {
    return fail(Error::make(ErrorCode::kUnsupported, "restrict", "", "no Landlock"));
  }
  const auto opens = [](const std::string& path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0644).has_value() ? "yes " : "no ";
  };
  std::string words = opens(readable + "/file", O_RDONLY);
  words += opens(readable + "/file", O_WRONLY);
  words += opens(readable + "/new", O_WRONLY | O_CREAT);
  words += opens(writable + "/new", O_WRONLY | O_CREAT);
  words +=
      rename_at(AT_FDCWD, writable + "/new", AT_FDCWD, writable + "/sub/moved") ? "yes " : "no ";
  words += opens("/etc/passwd", O_RDONLY);
  return words;
}

}  // namespace

TEST_CASE("only what is named can be opened") {
  if (Landlock::interface_version() < 2) {
    WARN("Landlock is off or too old here");
    return;
  }
  std::string root = "/tmp/sbx-landlock-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  REQUIRE(make_dirs(root + "/r", 0755));
  REQUIRE(make_dirs(root + "/w/sub", 0755));
  REQUIRE(write_file_at(AT_FDCWD, root + "/r/file", "x", 0644, Durability::kCached));
  const Trial trial = try_out([&] { return attempts(root + "/r", root + "/w"); });
  CHECK(trial.passed);
  CHECK(trial.text == "yes no no yes yes no ");
  CHECK(remove_tree_at(AT_FDCWD, root));
}

TEST_CASE("a rule for a single file") {
  if (Landlock::interface_version() == 0) {
    return;
  }
  const Trial trial = try_out([]() -> Result<std::string> {
    const Fd file = SBX_TRY(open_at(AT_FDCWD, "/etc/passwd", O_PATH));
    FsResult<Landlock> rules = Landlock::create(LandlockNetwork::kUntouched);
    const bool made = rules && rules->allow_below(file.get(), LandlockAccess::kReadWrite) &&
                      raw::set_no_new_privs() == 0 && rules->enforce();
    const bool file_opens = open_at(AT_FDCWD, "/etc/passwd", O_RDONLY).has_value();
    const bool other_opens = open_at(AT_FDCWD, "/etc/group", O_RDONLY).has_value();
    return std::string(made && file_opens && !other_opens ? "right" : "wrong");
  });
  CHECK(trial.text == "right");
}
