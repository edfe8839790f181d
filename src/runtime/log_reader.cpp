#include "runtime/log_reader.hpp"

#include <algorithm>
#include <deque>

#include "base/rfc3339.hpp"
#include "sys/directory_watch.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10U;
// Escaping makes six bytes of one; what is longer is no line of ours.
constexpr std::size_t kMaxLine = kLogLineMax * 6 + 1024;

/// Reads whole lines of the log's files, one after the other, and goes on where it stopped.
class LogTail {
 public:
  LogTail(int container, const LogQuery& query) : container_(container), query_(query) {}

  /// What read() gives begins with the last `lines` lines of what is there now.
  Result<void> skip_to_last(std::uint64_t lines) {
    const std::vector<std::string> names = SBX_TRY(log_files(container_));
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      const std::string path = path_of(*name);
      const sys::Fd file = SBX_TRY(sys::open_at(container_, path, O_RDONLY | O_NOFOLLOW));
      const struct stat st = SBX_TRY(sys::stat_fd(file.get(), path));
      place_of(st.st_ino).offset =
          SBX_TRY(begin_of_last(file.get(), static_cast<std::uint64_t>(st.st_size), lines, path));
    }
    return {};
  }

  /// All that is there now. False if `take` wants no more.
  Result<bool> read(const std::function<bool(const LogEntry&)>& take) {
    for (const std::string& name : SBX_TRY(log_files(container_))) {
      const std::string path = path_of(name);
      sys::Fd file = SBX_TRY(sys::open_at(container_, path, O_RDONLY | O_NOFOLLOW));
      const struct stat st = SBX_TRY(sys::stat_fd(file.get(), path));
      if (!SBX_TRY(read_file(std::move(file), st.st_ino, path, take))) {
        return false;
      }
    }
    return true;
  }

 private:
  static std::string path_of(const std::string& name) {
    return std::string(kLogDirectory) + "/" + name;
  }

  /// Where the last `lines` lines of a file begin; takes those that it has from `lines`.
  static Result<std::uint64_t> begin_of_last(int file, std::uint64_t size, std::uint64_t& lines,
                                             const std::string& path) {
    std::uint64_t seen = 0;
    std::string chunk(kChunk, '\0');
    for (std::uint64_t end = size; end > 0 && lines > 0;) {
      const std::uint64_t begin = end - std::min<std::uint64_t>(end, kChunk);
      const auto part = std::as_writable_bytes(std::span(chunk)).first(end - begin);
      const std::size_t got = SBX_TRY(sys::pread_full(file, part, begin, path));
      for (std::size_t i = got; i > 0; --i) {
        if (chunk[i - 1] == '\n' && seen++ == lines) {
          lines = 0;
          return begin + i;
        }
      }
      end = begin;
    }
    const bool none = lines == 0;
    lines -= std::min(lines, seen);
    return none ? size : 0;
  }

  struct Place {
    ino_t inode = 0;
    std::uint64_t offset = 0;
  };

  Result<bool> read_file(sys::Fd file, ino_t inode, const std::string& path,
                         const std::function<bool(const LogEntry&)>& take) {
    Place& place = place_of(inode);
    std::string text;
    std::string chunk(kChunk, '\0');
    for (;;) {
      const std::size_t got = SBX_TRY(sys::pread_full(
          file.get(), std::as_writable_bytes(std::span(chunk)), place.offset + text.size(), path));
      text.append(chunk, 0, got);
      std::size_t begin = 0;
      for (std::size_t end = text.find('\n'); end != std::string::npos;
           end = text.find('\n', begin)) {
        if (!give(std::string_view(text).substr(begin, end - begin), take)) {
          return false;
        }
        begin = end + 1;
      }
      place.offset += begin;
      text.erase(0, begin);
      if (got < kChunk || text.size() > kMaxLine) {
        return true;  // an unfinished line is read again with its end
      }
    }
  }

  /// Files are told apart by inode: rotation gives them other names.
  Place& place_of(ino_t inode) {
    for (Place& place : places_) {
      if (place.inode == inode) {
        return place;
      }
    }
    return places_.emplace_back(Place{inode, 0});
  }

  bool give(std::string_view line, const std::function<bool(const LogEntry&)>& take) const {
    const std::optional<LogEntry> entry = parse_log_line(line);
    if (!entry) {
      return true;  // cut off by a power cut
    }
    if (query_.since || query_.until) {
      const std::int64_t time = parse_rfc3339(entry->time).value_or(0);
      if ((query_.since && time < *query_.since) || (query_.until && time > *query_.until)) {
        return true;
      }
    }
    return take(*entry);
  }

  int container_;
  const LogQuery& query_;
  std::deque<Place> places_;
};

}  // namespace

Result<void> read_log(const std::string& data_root, const Container& container,
                      const LogQuery& query, const std::function<bool(const LogEntry&)>& take) {
  const std::string path = data_root + "/containers/" + container.state.id;
  const sys::Fd directory = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  if (!sys::exists_at(directory.get(), kLogDirectory)) {
    if (container.state.status == ContainerStatus::kCreated) {
      return {};
    }
    return fail(Error::make(ErrorCode::kUnsupported, "show the log of",
                            container.state.id.substr(0, 12), "its output was not kept")
                    .with_hint("run it with --detach, and not with --log-driver=none"));
  }
  // Watched before it is read, so that nothing is missed in between.
  std::optional<sys::DirectoryWatch> watch;
  const Result<sys::Fd> supervisor = sys::open_process(container.state.monitor);
  if (query.follow && container.running() && supervisor) {
    watch.emplace(SBX_TRY(sys::DirectoryWatch::make(path + "/" + kLogDirectory)));
  }
  LogTail tail(directory.get(), query);
  if (query.tail && !query.since && !query.until) {
    SBX_TRY(tail.skip_to_last(*query.tail));
    if (!SBX_TRY(tail.read(take))) {
      return {};
    }
  } else if (query.tail) {
    std::deque<LogEntry> last;
    (void)SBX_TRY(tail.read([&](const LogEntry& entry) {
      last.push_back(entry);
      if (last.size() > *query.tail) {
        last.pop_front();
      }
      return true;
    }));
    for (const LogEntry& entry : last) {
      if (!take(entry)) {
        return {};
      }
    }
  } else if (!SBX_TRY(tail.read(take))) {
    return {};
  }
  for (bool ended = !watch; !ended;) {
    ended = watch->wait(supervisor->get());
    if (!SBX_TRY(tail.read(take))) {
      return {};
    }
  }
  return {};
}

}  // namespace sbx::runtime
