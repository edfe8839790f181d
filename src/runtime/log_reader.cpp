#include "runtime/log_reader.hpp"

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

  /// All that is there now. False if `take` wants no more.
  Result<bool> read(const std::function<bool(const LogEntry&)>& take) {
    for (const std::string& name : SBX_TRY(log_files(container_))) {
      const std::string path = std::string(kLogDirectory) + "/" + name;
      sys::Fd file = SBX_TRY(sys::open_at(container_, path, O_RDONLY | O_NOFOLLOW));
      const struct stat st = SBX_TRY(sys::stat_fd(file.get(), path));
      if (!SBX_TRY(read_file(std::move(file), st.st_ino, path, take))) {
        return false;
      }
    }
    return true;
  }

 private:
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
  const sys::DirectoryWatch watch = SBX_TRY(sys::DirectoryWatch::make(path + "/" + kLogDirectory));
  const Result<sys::Fd> supervisor = sys::open_process(container.state.monitor);
  LogTail tail(directory.get(), query);
  if (query.tail) {
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
  for (bool ended = !query.follow || !container.running() || !supervisor; !ended;) {
    ended = watch.wait(supervisor->get());
    if (!SBX_TRY(tail.read(take))) {
      return {};
    }
  }
  return {};
}

}  // namespace sbx::runtime
