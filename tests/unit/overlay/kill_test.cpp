// kill -9 between any two system calls: a child does one operation on an overlay, and is killed before its first system call that changes
// something on disk, then, on fresh directories, before its second, and so on. Each time a new server must find the tree as it was before the
// operation or as it is after it, with nothing else changed and nothing left of it, and must be able to do the operation then. So must one
// that can make no names, while it has something to finish.

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/fs.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "fixture.hpp"
#include "memory_lower.hpp"

namespace sbx::overlay::test {

namespace {

constexpr std::size_t kLargeSize = 40'000;
constexpr std::uint64_t kPartsFrom = 20'000;  // smaller than that

using Step = std::function<FsResult<void>(Overlay&)>;

struct Scenario {
  const char* name;
  Step before;  // done in peace
  Step operation;
  /// What a kill in the middle may leave besides: one line of a snapshot, as it is shown instead.
  std::string torn{};
};

Model lower_tree() {
  Model model;
  const auto dir = [](ModelNode& in, const char* name) {
    const ModelRef made = make_model_node(S_IFDIR | 0755, {1, 2});
    (void)Model::create(in, name, made);
    return made;
  };
  const auto file = [](ModelNode& in, const char* name, std::string text) {
    const ModelRef made = make_model_node(S_IFREG | 0644, {3, 4}, std::move(text));
    made->xattrs["user.color"] = name;
    (void)Model::create(in, name, made);
    return made;
  };
  const ModelRef a = dir(*model.root(), "a");
  const ModelRef b = dir(*model.root(), "b");
  const ModelRef sub = dir(*a, "sub");
  (void)file(*a, "file", "content of a");
  (void)file(*a, "large", std::string(kLargeSize, 'L'));
  (void)file(*sub, "deep", "deep content");
  (void)file(*b, "other", "content of b");
  const ModelRef linked = file(*a, "one", "linked content");
  (void)Model::link(linked, *b, "two");
  (void)Model::link(linked, *sub, "three");
  const ModelRef way = make_model_node(S_IFLNK | 0777, {5, 6}, "to/somewhere");
  (void)Model::create(*a, "way", way);
  (void)Model::link(way, *b, "way");
  (void)dir(*b, "empty");
  for (const Path& path : model.paths()) {
    model.find(path)->mtime = 1000;
  }
  return model;
}

// ---- operations, by path --------------------------------------------------------------------------------------------
FsResult<void> released(Overlay& overlay, const FsResult<Entry>& made) {
  if (!made) {
    return fail(made.error());
  }
  overlay.forget(made->id, 1);
  return {};
}

/// The directory of a path, and the last name.
FsResult<std::pair<Held, std::string>> parent(Overlay& overlay, const char* path) {
  Path names = path_of(path);
  std::string last = std::move(names.back());
  names.pop_back();
  return std::pair<Held, std::string>(SBX_TRY(walk(overlay, names)), std::move(last));
}

Step create(const char* path, std::uint32_t mode) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const auto [dir, name] = SBX_TRY(parent(overlay, path));
    const Caller who{{7, 8}};
    return released(overlay, S_ISDIR(mode)   ? overlay.make_dir(dir.id(), name, mode, who)
                             : S_ISLNK(mode) ? overlay.make_symlink(dir.id(), name, "target", who)
                                             : overlay.make_node(dir.id(), name, mode, 0, who));
  };
}
Step unlink(const char* path) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const auto [dir, name] = SBX_TRY(parent(overlay, path));
    return overlay.unlink(dir.id(), name);
  };
}
Step remove_dir(const char* path) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const auto [dir, name] = SBX_TRY(parent(overlay, path));
    return overlay.remove_dir(dir.id(), name);
  };
}
Step rename(const char* from, const char* to, unsigned flags = 0) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const auto [from_dir, old_name] = SBX_TRY(parent(overlay, from));
    const auto [to_dir, new_name] = SBX_TRY(parent(overlay, to));
    return overlay.rename(from_dir.id(), old_name, to_dir.id(), new_name, flags);
  };
}
Step link(const char* from, const char* to) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const Held file = SBX_TRY(walk(overlay, path_of(from)));
    const auto [dir, name] = SBX_TRY(parent(overlay, to));
    return released(overlay, overlay.link(file.id(), dir.id(), name));
  };
}
Step change(const char* path, AttrChange wish) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const Held file = SBX_TRY(walk(overlay, path_of(path)));
    const auto done = overlay.set_attr(file.id(), wish);
    return done ? FsResult<void>() : fail(done.error());
  };
}
Step chmod(const char* path) {
  AttrChange wish;
  wish.set_mode = true;
  wish.mode = 0751;
  return change(path, wish);
}
Step chown(const char* path) {
  AttrChange wish;
  wish.set_uid = wish.set_gid = true;
  wish.owner = {11, 12};
  return change(path, wish);
}
Step truncate(const char* path, std::uint64_t size) {
  AttrChange wish;
  wish.set_size = true;
  wish.size = size;
  return change(path, wish);
}
Step write(const char* path, std::uint64_t offset) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const Held file = SBX_TRY(walk(overlay, path_of(path)));
    return overlay.write(file.id(), offset, std::as_bytes(std::span("written", 7)), false);
  };
}
Step set_xattr(const char* path) {
  return [=](Overlay& overlay) -> FsResult<void> {
    const Held file = SBX_TRY(walk(overlay, path_of(path)));
    return overlay.set_xattr(file.id(), "user.taste", std::as_bytes(std::span("sweet", 5)), 0);
  };
}
Step all(std::vector<Step> steps) {
  return [=](Overlay& overlay) -> FsResult<void> {
    for (const Step& step : steps) {
      SBX_TRY(step(overlay));
    }
    return {};
  };
}
FsResult<void> nothing(Overlay&) { return {}; }

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> kAll{
      {"copy-up of a file", nothing, chmod("a/file")},
      {"copy-up of a file in a deep directory", nothing, chown("a/sub/deep")},
      {"copy-up of a directory", nothing, chmod("a/sub")},
      {"create", nothing, create("a/new", S_IFREG | 0640), "a/new 100600 0:0"},
      {"create a directory", nothing, create("a/new", S_IFDIR | 0750), "a/new 40700 0:0"},
      {"create a symlink", nothing, create("a/new", S_IFLNK | 0777), "a/new 100600 0:0"},
      {"create a fifo", nothing, create("a/new", S_IFIFO | 0640), "a/new 100600 0:0"},
      {"create over a whiteout", unlink("a/file"), create("a/file", S_IFREG | 0640)},
      {"create a directory over a whiteout", unlink("a/file"), create("a/file", S_IFDIR | 0750)},
      {"create a directory over one that was removed", remove_dir("b/empty"),
       create("b/empty", S_IFDIR | 0750)},
      {"unlink a lower file", nothing, unlink("a/file")},
      {"unlink a copied file", chmod("a/file"), unlink("a/file")},
      {"unlink a new file", create("a/new", S_IFREG | 0640), unlink("a/new")},
      {"rmdir a lower directory", nothing, remove_dir("b/empty")},
      {"rmdir with whiteouts", all({unlink("a/sub/deep"), unlink("a/sub/three")}),
       remove_dir("a/sub")},
      {"rename a lower file", nothing, rename("a/file", "b/moved")},
      {"rename a lower file over another", nothing, rename("a/file", "b/other")},
      {"rename over a whiteout", unlink("b/other"), rename("a/file", "b/other")},
      {"rename within a directory", nothing, rename("a/file", "a/renamed")},
      {"rename a new file over a lower one", create("a/new", S_IFREG | 0640),
       rename("a/new", "a/file")},
      {"rename a lower directory", nothing, rename("a/sub", "b/moved")},
      {"rename a lower directory over a whiteout", unlink("b/other"), rename("a/sub", "b/other")},
      {"rename a lower directory over a whiteout beside it", unlink("a/file"),
       rename("a/sub", "a/file")},
      {"rename a new directory over a whiteout",
       all({create("a/new", S_IFDIR | 0750), unlink("a/file")}), rename("a/new", "a/file")},
      {"rename a directory over an empty lower one", create("a/new", S_IFDIR | 0750),
       rename("a/new", "b/empty")},
      {"rename over a directory with whiteouts",
       all({create("new", S_IFDIR | 0750), unlink("a/sub/deep"), unlink("a/sub/three")}),
       rename("new", "a/sub")},
      {"exchange", nothing, rename("a/file", "b", RENAME_EXCHANGE)},
      {"link", nothing, link("a/file", "b/third")},
      {"link over a whiteout", unlink("b/other"), link("a/file", "b/other")},
      {"chown of a copied file", chmod("a/file"), chown("a/file")},
      {"chown of a symlink", create("a/new", S_IFLNK | 0777), chown("a/new")},
      {"xattr of a lower file", nothing, set_xattr("a/file")},
      {"xattr of a copied file", chmod("a/file"), set_xattr("a/file")},
      {"write to a lower file", nothing, write("a/file", 3)},
      {"write to a large file", nothing, write("a/large", 9'000)},
      {"write to a partly copied file", write("a/large", 9'000), write("a/large", 20'000)},
      {"truncate a lower file", nothing, truncate("a/file", 5)},
      {"truncate a partly copied file", write("a/large", 9'000), truncate("a/large", 7'000)},
      {"truncate a partly copied file to nothing", write("a/large", 9'000), truncate("a/large", 0)},
      {"copy-up of a linked file", nothing, chmod("a/one")},
      {"copy-up of a linked file with a name in a moved directory", rename("a/sub", "b/moved"),
       chmod("b/two")},
      {"copy-up of a linked file with a name in a directory that is there", chmod("a/sub"),
       chmod("b/two")},
      {"copy-up of a linked symlink", nothing, chown("b/way")},
      {"write to a linked file", nothing, write("b/two", 3)},
      {"truncate a linked file", nothing, truncate("a/sub/three", 4)},
      {"xattr of a linked file", nothing, set_xattr("a/sub/three")},
      {"unlink a name of a linked file", nothing, unlink("b/two")},
      {"rename a name of a linked file", nothing, rename("a/one", "b/moved")},
      {"rename over a name of a linked file", nothing, rename("a/file", "b/two")},
      {"link a linked file", nothing, link("a/one", "b/fourth")},
  };
  return kAll;
}

// ---- what there is to see -------------------------------------------------------------------------------------------
using Snapshot = std::map<std::string, std::string>;

constexpr const char* kOld = "(old)";  // the time of the lower tree
constexpr const char* kNew = "(new)";

/// Paths by the number of their file.
using Names = std::map<std::uint64_t, std::set<std::string>>;

void look(Overlay& overlay, const Held& dir, const std::string& at, Names& names, Snapshot& seen) {
  for (const Listed& listed : list_all(overlay, dir.id(), ListKind::kPlain)) {
    const std::string path = at.empty() ? listed.name : at + "/" + listed.name;
    const auto found = walk(overlay, path_of(path));
    if (!found) {
      seen[path] = "error " + std::to_string(found.error().value());
      continue;
    }
    const Attr attr = overlay.get_attr(found->id()).value();
    std::string line =
        fmt::format("{} {:o} {}:{} links {} size {}", path, attr.mode, attr.owner.uid,
                    attr.owner.gid, attr.nlink, attr.is_dir() ? 0 : attr.size);
    if (S_ISREG(attr.mode)) {
      line += fmt::format(" {} {}", attr.mtime.tv_sec == 1000 ? kOld : kNew,
                          std::hash<std::string>()(read_all(overlay, found->id())));
    } else if (S_ISLNK(attr.mode)) {
      line += " " + overlay.read_link(found->id()).value();
    }
    for (const std::string& name : overlay.xattr_names(found->id()).value()) {
      line += " " + name + "=" + overlay.xattr(found->id(), name).value();
    }
    seen[path] = line;
    names[attr.ino].insert(path);
    if (attr.is_dir()) {
      look(overlay, *found, path, names, seen);
    }
  }
}

Snapshot snapshot(Overlay& overlay) {
  Snapshot seen;
  Names names;
  look(overlay, Held(overlay, kRootNode, 0), "", names, seen);
  for (const auto& [number, paths] : names) {
    for (const std::string& path : paths) {
      seen[path] += paths.size() > 1 ? fmt::format(", one file: {}", fmt::join(paths, " ")) : "";
    }
  }
  return seen;
}

std::string difference(const Snapshot& one, const Snapshot& other) {
  std::string text;
  for (const auto& [path, line] : one) {
    if (!other.contains(path) || other.at(path) != line) {
      text += "\n  - " + line;
    }
  }
  for (const auto& [path, line] : other) {
    if (!one.contains(path) || one.at(path) != line) {
      text += "\n  + " + line;
    }
  }
  return text;
}

// ---- the child that is killed ---------------------------------------------------------------------------------------
std::unique_ptr<Overlay> open_overlay(const Scratch& scratch, const UpperKind& kind) {
  return make_overlay(scratch, std::make_unique<MemoryLower>(lower_tree()), all_ids(), kPartsFrom,
                      kind);
}

bool changes(const struct __ptrace_syscall_info& info) {
  constexpr std::array kChanging{SYS_mkdirat,        SYS_mknodat,   SYS_symlinkat, SYS_linkat,
                                 SYS_unlinkat,       SYS_renameat2, SYS_fsetxattr, SYS_fremovexattr,
                                 SYS_ftruncate,      SYS_fallocate, SYS_pwrite64,  SYS_utimensat,
                                 SYS_copy_file_range};
  const auto number = static_cast<long>(info.entry.nr);
  if (number == SYS_openat) {
    return (info.entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
  }
  return std::find(kChanging.begin(), kChanging.end(), number) != kChanging.end();
}

enum class End { kKilled, kDone, kFailed, kNotAllowed };

/// Runs the operation in a child and kills it before the call `kill_at`, counted from 1, that changes something.
End run_until(const Scratch& scratch, const UpperKind& kind, const Scenario& scenario,
              int kill_at) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
      ::_exit(77);
    }
    const auto overlay = open_overlay(scratch, kind);
    if (!scenario.before(*overlay)) {
      ::_exit(2);
    }
    (void)::raise(SIGSTOP);
    ::_exit(scenario.operation(*overlay) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) {
    return WEXITSTATUS(status) == 77 ? End::kNotAllowed : End::kFailed;
  }
  REQUIRE(WIFSTOPPED(status));
  REQUIRE(::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) ==
          0);
  for (int seen = 0;;) {
    REQUIRE(::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) {
      return WEXITSTATUS(status) == 0 ? End::kDone : End::kFailed;
    }
    REQUIRE(WIFSTOPPED(status));
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      continue;
    }
    struct __ptrace_syscall_info info {};
    REQUIRE(::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes(info) || ++seen < kill_at) {
      continue;
    }
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, &status, 0) == child);
    return End::kKilled;
  }
}

/// The only difference are times: data was being copied, which a new time tells of at worst.
bool only_newer(const Snapshot& before, const Snapshot& seen) {
  return before.size() == seen.size() &&
         std::all_of(seen.begin(), seen.end(), [&](const auto& entry) {
           std::string line = entry.second;
           const auto was = before.find(entry.first);
           if (was != before.end() && was->second.find(kOld) != std::string::npos &&
               line.find(kNew) != std::string::npos) {
             line.replace(line.find(kNew), 5, kOld);
           }
           return was != before.end() && was->second == line;
         });
}

/// Whether a server that can make no names finds the tree as it was before or is after.
bool starts_without_names(const Scratch& scratch, const UpperKind& kind, const Snapshot& before,
                          const Snapshot& after) {
  return in_child([&] {
           auto upper = open_upper(scratch, kind);
           if (!refuse_calls({SYS_linkat, SYS_renameat2}, ENOSPC)) {
             return 2;
           }
           const auto overlay =
               make_overlay(std::move(upper), std::make_unique<MemoryLower>(lower_tree()),
                            all_ids(), kPartsFrom);
           const Snapshot seen = snapshot(*overlay);
           if (!only_newer(before, seen) && seen != after) {
             std::fprintf(stderr, "from before:%s\n", difference(before, seen).c_str());
             return 1;
           }
           return 0;
         }) == 0;
}

void check_work(const Scratch& scratch) {
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path() + "/work")) {
    const std::string name = entry.path().filename();
    CHECK((name == "whiteout" || name == "marks"));
  }
}

/// The one line that differs is what a creation in two steps leaves.
bool is_torn(const Scenario& scenario, const Snapshot& before, Snapshot seen) {
  const std::string path = scenario.torn.substr(0, scenario.torn.find(' '));
  if (scenario.torn.empty() || !seen.contains(path) || !seen[path].starts_with(scenario.torn)) {
    return false;
  }
  seen.erase(path);
  return difference(before, seen).find('+') == std::string::npos || seen.size() == before.size();
}

/// In memory, if there is such a place: it is quicker, and no less true of kill -9.
const char* place() {
  const bool chosen = std::getenv("SBX_TEST_DIR") != nullptr;
  return !chosen && ::access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : nullptr;
}

enum class NextStart { kOrdinary, kWithoutNames };

int kill_everywhere(const Scenario& scenario, const UpperKind& kind,
                    NextStart next = NextStart::kOrdinary) {
  Snapshot before;
  Snapshot after;
  {
    const Scratch scratch(place());
    auto overlay = open_overlay(scratch, kind);
    REQUIRE(scenario.before(*overlay));
    before = snapshot(*overlay);
    const auto done = scenario.operation(*overlay);
    if (!done) {
      // What such a file system refuses: see README.md.
      CHECK((done.error() == Errno(EINVAL) || done.error() == Errno(EPERM)));
      CHECK((!kind.has.exchange || !kind.has.links));
      return 0;
    }
    overlay.reset();
    after = snapshot(*open_overlay(scratch, kind));
  }
  for (int kill_at = 1;; ++kill_at) {
    CAPTURE(kill_at);
    const Scratch scratch(place());
    const End end = run_until(scratch, kind, scenario, kill_at);
    if (end == End::kNotAllowed) {
      WARN("ptrace is not permitted");
      return 0;
    }
    REQUIRE(end != End::kFailed);
    if (next == NextStart::kWithoutNames) {
      CHECK(starts_without_names(scratch, kind, before, after));
    }
    Snapshot seen;
    {
      auto overlay = open_overlay(scratch, kind);
      check_work(scratch);
      seen = snapshot(*overlay);
      INFO("from before:" << difference(before, seen));
      INFO("from after:" << difference(after, seen));
      if (end == End::kDone) {
        CHECK((seen == after));
        return kill_at - 1;
      }
      const bool torn = is_torn(scenario, before, seen);
      CHECK((only_newer(before, seen) || seen == after || torn));
      if (seen == before) {
        REQUIRE(scenario.operation(*overlay));
        seen = snapshot(*overlay);
        INFO("done again, from after:" << difference(after, seen));
        CHECK((seen == after));
      }
    }
    CHECK((snapshot(*open_overlay(scratch, kind)) == seen));
  }
}

}  // namespace

TEST_CASE("killed between any two system calls, an operation is done or not", "[kill]") {
  int points = 0;
  const char* const only = std::getenv("SBX_TEST_SCENARIO");
  for (const Scenario& scenario : scenarios()) {
    if (only == nullptr || std::string_view(scenario.name).find(only) != std::string_view::npos) {
      CAPTURE(scenario.name);
      const UpperKind kind = UpperKind::of_environment();
      points += kill_everywhere(scenario, kind);
      if (kind.allowed.links &&
          std::string_view(scenario.name).find("linked") != std::string_view::npos) {
        points += kill_everywhere(scenario, kind, NextStart::kWithoutNames);
      }
    }
  }
  std::printf("killed at %d points\n", points);
  CHECK((only == nullptr || points > 0));
}

}  // namespace sbx::overlay::test
