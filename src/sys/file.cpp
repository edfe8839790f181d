#include "sys/file.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <tuple>

namespace sbx::sys {
namespace {

template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

Result<Fd> open_resolved(int dir, const std::string& path, int flags, mode_t mode,
                         std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = resolve;
  // EAGAIN: something below was renamed while the kernel looked; openat2(2) says to try again.
  for (int attempt = 0;; ++attempt) {
    const long fd =
        retry([&] { return ::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how); });
    if (fd >= 0) {
      return Fd(static_cast<int>(fd));
    }
    if (errno != EAGAIN || attempt == 64) {
      return fail(Error::system("open", path));
    }
  }
}

struct DirCloser {
  void operator()(DIR* dir) const { (void)::closedir(dir); }
};
using DirStream = std::unique_ptr<DIR, DirCloser>;

Result<std::vector<std::string>> list_opened(Fd dir, const std::string& path) {
  DirStream stream(::fdopendir(dir.get()));
  if (!stream) {
    return fail(Error::system("list directory", path));
  }
  (void)dir.release();  // closedir closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  if (errno != 0) {
    return fail(Error::system("list directory", path));
  }
  return names;
}

/// Opens a directory for deletion: one without permissions is made accessible first.
Result<Fd> open_doomed(int dir, const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  Result<Fd> opened = open_at(dir, path, kFlags);
  if (!opened && opened.error().sys_errno == EACCES) {
    std::ignore = ::fchmodat(dir, path.c_str(), S_IRWXU, 0);  // the second open says what is wrong
    opened = open_at(dir, path, kFlags);
  }
  return opened;
}

/// Deletes what stands in `dir`. Depth is bounded by the descriptor limit's own error, not by the stack:
/// one frame is small and PATH_MAX does not bound trees made with mkdirat.
Result<void> remove_children(int dir, const std::string& shown) {
  const std::vector<std::string> names = SBX_TRY(list_dir(dir, "."));
  for (const std::string& name : names) {
    SBX_TRY(remove_tree_at(dir, name).context(fmt::format("removing '{}'", printable(shown))));
  }
  return {};
}

}  // namespace

Result<Fd> open_at(int dir, const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    return fail(Error::system("open", path));
  }
  return Fd(fd);
}

Result<Fd> open_beneath(int dir, const std::string& path, int flags, mode_t mode) {
  return open_resolved(dir, path, flags, mode,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

Result<Fd> open_in_root(int root, const std::string& path, int flags, mode_t mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<struct stat> stat_fd(int fd, std::string_view name) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) {
    return fail(Error::system("look at", name));
  }
  return st;
}

Result<struct stat> stat_at(int dir, const std::string& path) {
  struct stat st {};
  if (::fstatat(dir, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail(Error::system("look at", path));
  }
  return st;
}

bool exists_at(int dir, const std::string& path) {
  return ::faccessat(dir, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<void> make_dir_at(int dir, const std::string& path, mode_t mode) {
  if (::mkdirat(dir, path.c_str(), mode) != 0) {
    return fail(Error::system("make directory", path));
  }
  return {};
}

Result<void> make_dirs(const std::string& path, mode_t mode) {
  if (::mkdirat(AT_FDCWD, path.c_str(), mode) == 0) {
    return {};
  }
  if (errno == EEXIST) {
    return {};
  }
  const std::size_t slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) {
    return fail(Error::system("make directory", path));
  }
  SBX_TRY(make_dirs(path.substr(0, slash), mode));
  Result<void> made = make_dir_at(AT_FDCWD, path, mode);
  if (!made && made.error().sys_errno == EEXIST) {
    return {};  // somebody else was faster
  }
  return made;
}

Result<void> unlink_at(int dir, const std::string& path, int flags) {
  if (::unlinkat(dir, path.c_str(), flags) != 0) {
    return fail(Error::system("remove", path));
  }
  return {};
}

Result<void> rename_at(int old_dir, const std::string& from, int new_dir, const std::string& to,
                       unsigned flags) {
  if (::renameat2(old_dir, from.c_str(), new_dir, to.c_str(), flags) != 0) {
    return fail(Error::system(fmt::format("rename '{}' to", printable(from)), to));
  }
  return {};
}

Result<void> symlink_at(const std::string& target, int dir, const std::string& path) {
  if (::symlinkat(target.c_str(), dir, path.c_str()) != 0) {
    return fail(Error::system("make symbolic link", path));
  }
  return {};
}

Result<std::string> read_link_at(int dir, const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = ::readlinkat(dir, path.c_str(), target.data(), target.size());
  if (size < 0) {
    return fail(Error::system("read symbolic link", path));
  }
  target.resize(static_cast<std::size_t>(size));
  return target;
}

Result<std::vector<std::string>> list_dir(int dir, const std::string& path) {
  return list_opened(SBX_TRY(open_at(dir, path, O_RDONLY | O_DIRECTORY)), path);
}

Result<void> remove_tree_at(int dir, const std::string& path) {
  if (::unlinkat(dir, path.c_str(), 0) == 0 || errno == ENOENT) {
    return {};
  }
  if (errno != EISDIR && errno != EPERM && errno != EACCES) {
    return fail(Error::system("remove", path));
  }
  if (::unlinkat(dir, path.c_str(), AT_REMOVEDIR) == 0) {
    return {};
  }
  const int why = errno;
  if (why != ENOTEMPTY && why != EEXIST && why != EACCES) {
    return fail(Error::system("remove", path, why));
  }
  Result<Fd> doomed = open_doomed(dir, path);
  if (!doomed) {  // a file that somebody else's directory holds is no directory: that is not what is wrong
    return doomed.error().sys_errno == ENOTDIR ? fail(Error::system("remove", path, why))
                                               : fail(std::move(doomed).error());
  }
  // A directory without write permission keeps its children; it is ours, so we may change that.
  std::ignore = ::fchmod(doomed->get(), S_IRWXU);  // the unlinks below say what is wrong
  SBX_TRY(remove_children(doomed->get(), path));
  return unlink_at(dir, path, AT_REMOVEDIR);
}

Result<std::size_t> read_available(int fd, std::span<std::byte> data, std::string_view name) {
  const ssize_t n = retry([&] { return ::read(fd, data.data(), data.size()); });
  return n < 0 ? Result<std::size_t>(fail(Error::system("read", name)))
               : static_cast<std::size_t>(n);
}

Result<std::size_t> read_some(int fd, std::span<std::byte> data, std::string_view name) {
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = retry([&] { return ::read(fd, data.data() + done, data.size() - done); });
    if (n < 0) {
      return fail(Error::system("read", name));
    }
    if (n == 0) {
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::size_t> pread_full(int fd, std::span<std::byte> data, std::uint64_t offset,
                               std::string_view name) {
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = retry([&] {
      return ::pread(fd, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    });
    if (n < 0) {
      return fail(Error::system("read", name));
    }
    if (n == 0) {
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<void> write_full(int fd, std::span<const std::byte> data, std::string_view name) {
  while (!data.empty()) {
    const ssize_t n = retry([&] { return ::write(fd, data.data(), data.size()); });
    if (n < 0) {
      return fail(Error::system("write", name));
    }
    data = data.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> write_full(int fd, std::string_view data, std::string_view name) {
  return write_full(fd, std::as_bytes(std::span(data.data(), data.size())), name);
}

Result<void> pwrite_full(int fd, std::string_view data, std::uint64_t offset,
                         std::string_view name) {
  while (!data.empty()) {
    const ssize_t put = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno != EINTR) {
      return fail(Error::system("write", name));
    }
    const auto done = static_cast<std::size_t>(std::max<ssize_t>(put, 0));
    data.remove_prefix(done);
    offset += done;
  }
  return {};
}

Result<std::string> read_fd(int fd, std::size_t max, std::string_view name) {
  std::string data;
  std::size_t used = 0;
  for (;;) {
    data.resize(std::min(max + 1, std::max<std::size_t>(4096, used * 2)));
    const auto room = std::as_writable_bytes(std::span(data)).subspan(used);
    const std::size_t n = SBX_TRY(read_some(fd, room, name));
    used += n;
    if (used > max) {
      return fail(Error::make(ErrorCode::kLimit, "read", name,
                              fmt::format("it is larger than {} bytes", max)));
    }
    if (n < room.size()) {
      data.resize(used);
      return data;
    }
  }
}

Result<std::string> read_file_at(int dir, const std::string& path, std::size_t max) {
  const Fd fd = SBX_TRY(open_at(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const struct stat st = SBX_TRY(stat_fd(fd.get(), path));
  if (!S_ISREG(st.st_mode)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "read", path, "it is not a regular file"));
  }
  return read_fd(fd.get(), max, path);
}

Result<void> sync_fd(int fd, std::string_view name) {
  if (::fsync(fd) != 0) {
    return fail(Error::system("write to disk", name));
  }
  return {};
}

Result<void> write_file_at(int dir, const std::string& path, std::string_view data, mode_t mode,
                           Durability durability) {
  // Unique among the threads and processes of this machine; O_EXCL guards the rest.
  static std::atomic<unsigned> counter{0};
  const std::string aside = fmt::format("{}.{}.{}.new", path, ::getpid(),
                                        counter.fetch_add(1, std::memory_order_relaxed));
  Fd fd = SBX_TRY(open_at(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  const auto finish = [&]() -> Result<void> {
    SBX_TRY(write_full(fd.get(), data, path));
    if (durability == Durability::kSynced) {
      SBX_TRY(sync_fd(fd.get(), path));
    }
    return rename_at(dir, aside, dir, path);
  };
  Result<void> done = finish();
  if (!done) {
    (void)::unlinkat(dir, aside.c_str(), 0);  // the first failure is the one to tell
    return done;
  }
  if (durability == Durability::kSynced) {
    const std::size_t slash = path.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Fd parent_fd = SBX_TRY(open_at(dir, parent, O_RDONLY | O_DIRECTORY));
    SBX_TRY(sync_fd(parent_fd.get(), parent));
  }
  return {};
}

Result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr),
                                                             &std::free);
  if (!resolved) {
    return fail(Error::system("find", path));
  }
  return std::string(resolved.get());
}

}  // namespace sbx::sys
