#include "runtime/events.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.hpp"
#include "base/log.hpp"
#include "sys/directory_watch.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kDirectory = "/events";
constexpr const char* kFile = "events.jsonl";
constexpr const char* kOldFile = "events.jsonl.1";
constexpr mode_t kPrivateDir = 0700;
constexpr mode_t kPrivateFile = 0600;
// Labels of an image may be of any size: an event is one write, and its file small.
constexpr std::size_t kMaxLabels = std::size_t{8} << 10U;
constexpr std::size_t kMaxLine = std::size_t{64} << 10U;
constexpr std::size_t kChunk = std::size_t{64} << 10U;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::int64_t now_ns() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kNanoseconds + now.tv_nsec;
}

Result<sys::Fd> open_to_append(const std::string& directory) {
  const std::string path = directory + "/" + kFile;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  Result<sys::Fd> file = sys::open_at(AT_FDCWD, path, kFlags, kPrivateFile);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    SBX_TRY(sys::make_dirs(directory, kPrivateDir));
    file = sys::open_at(AT_FDCWD, path, kFlags, kPrivateFile);
  }
  return file;
}

/// Puts a file aside that has become too large, unless another one does just that.
Result<void> rotate(const std::string& directory) {
  const sys::Fd dir = SBX_TRY(sys::open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY));
  const auto lock =
      SBX_TRY(sys::FileLock::try_acquire(dir.get(), "lock", sys::FileLock::Kind::kExclusive));
  if (!lock) {
    return {};
  }
  const struct stat st = SBX_TRY(sys::stat_at(dir.get(), kFile));
  return static_cast<std::uint64_t>(st.st_size) < kEventsFileMax
             ? Result<void>()
             : sys::rename_at(dir.get(), kFile, dir.get(), kOldFile);
}

Result<void> append(const std::string& data_root, const Event& event) {
  const std::string directory = data_root + kDirectory;
  const sys::Fd file = SBX_TRY(open_to_append(directory));
  SBX_TRY(sys::write_full(file.get(), event_line(event) + "\n", kFile));
  const struct stat st = SBX_TRY(sys::stat_fd(file.get(), kFile));
  return static_cast<std::uint64_t>(st.st_size) < kEventsFileMax ? Result<void>()
                                                                 : rotate(directory);
}

/// What one pass of the reading remembers: a file, and how much of it was read.
class EventTail {
 public:
  EventTail(std::string directory, const EventQuery& query,
            const std::function<bool(const Event&)>& take)
      : directory_(std::move(directory)), query_(query), take_(take) {}

  /// Passes over what is there.
  Result<void> skip_to_end() {
    if (SBX_TRY(open_newest())) {
      offset_ = static_cast<std::uint64_t>(SBX_TRY(sys::stat_fd(file_.get(), kFile)).st_size);
    }
    return {};
  }

  /// The file that was put aside, as a whole.
  Result<bool> read_old() {
    Result<sys::Fd> old =
        sys::open_at(AT_FDCWD, directory_ + "/" + kOldFile, O_RDONLY | O_NOFOLLOW);
    if (!old) {
      return old.error().code == ErrorCode::kNotFound ? Result<bool>(true) : fail(old.error());
    }
    file_ = std::move(old).value();
    const bool more = SBX_TRY(read_file());
    file_.reset();
    return more;
  }

  /// What is new in the newest file, and the rest of the one that it took the place of. False if nobody wants more.
  Result<bool> read() {
    if (file_ && !SBX_TRY(read_file())) {
      return false;
    }
    const Result<struct stat> there = sys::stat_at(AT_FDCWD, directory_ + "/" + kFile);
    const bool same =
        file_ && there && there->st_ino == SBX_TRY(sys::stat_fd(file_.get(), kFile)).st_ino;
    if (same || !SBX_TRY(open_newest())) {
      return true;
    }
    return read_file();
  }

 private:
  /// False if there is none.
  Result<bool> open_newest() {
    Result<sys::Fd> newest =
        sys::open_at(AT_FDCWD, directory_ + "/" + kFile, O_RDONLY | O_NOFOLLOW);
    if (!newest) {
      return newest.error().code == ErrorCode::kNotFound ? Result<bool>(false)
                                                         : fail(newest.error());
    }
    file_ = std::move(newest).value();
    offset_ = 0;
    return true;
  }

  Result<bool> read_file() {
    std::string text;
    std::string chunk(kChunk, '\0');
    for (;;) {
      const std::size_t got = SBX_TRY(sys::pread_full(
          file_.get(), std::as_writable_bytes(std::span(chunk)), offset_ + text.size(), kFile));
      text.append(chunk, 0, got);
      std::size_t begin = 0;
      for (std::size_t end = text.find('\n'); end != std::string::npos;
           end = text.find('\n', begin)) {
        if (!give(std::string_view(text).substr(begin, end - begin))) {
          return false;
        }
        begin = end + 1;
      }
      if (text.size() - begin > kMaxLine) {
        begin = text.size();  // no line of ours
      }
      offset_ += begin;
      text.erase(0, begin);
      if (got < kChunk) {
        return true;
      }
    }
  }

  [[nodiscard]] bool give(std::string_view line) const {
    const std::optional<Event> event = parse_event_line(line);
    if (!event) {
      return true;
    }
    const bool in_time = (!query_.since || event->time_ns >= *query_.since * kNanoseconds) &&
                         (!query_.until || event->time_ns <= *query_.until * kNanoseconds);
    return !in_time || !query_.filter.accepts(*event) || take_(*event);
  }

  std::string directory_;
  const EventQuery& query_;
  const std::function<bool(const Event&)>& take_;
  sys::Fd file_;
  std::uint64_t offset_ = 0;
};

/// Milliseconds until then; 0: it is past; -1: never.
int wait_ms(const std::optional<std::int64_t>& until) {
  constexpr std::int64_t kMost = 3'600'000;
  if (!until) {
    return -1;
  }
  const std::int64_t left = *until * 1000 - now_ns() / 1'000'000;
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kMost));
}

std::string attribute(const Event& event, const char* name) {
  const auto it = event.attributes.find(name);
  return it == event.attributes.end() ? std::string() : it->second;
}

}  // namespace

std::string event_line(const Event& event) {
  Json out{{"Type", event.type},
           {"Action", event.action},
           {"Actor", {{"ID", event.id}, {"Attributes", event.attributes}}},
           {"scope", "local"},
           {"time", event.time_ns / kNanoseconds},
           {"timeNano", event.time_ns}};
  if (event.type == "container") {  // as docker's oldest clients have it
    out["status"] = event.action;
    out["id"] = event.id;
    out["from"] = attribute(event, "image");
  }
  return dump_json(out);
}

std::optional<Event> parse_event_line(std::string_view line) {
  const Result<Json> json = parse_json(line, "event");
  if (!json || !json->is_object()) {
    return std::nullopt;
  }
  const auto type = find_string(*json, "Type");
  const auto action = find_string(*json, "Action");
  const auto actor = find_object(*json, "Actor");
  const auto time = find_integer(*json, "timeNano");
  if (!type || !*type || !action || !*action || !actor || *actor == nullptr || !time || !*time) {
    return std::nullopt;
  }
  Event out{**type, **action, "", {}, **time};
  const auto id = find_string(**actor, "ID");
  const auto attributes = find_object(**actor, "Attributes");
  if (!id || !attributes) {
    return std::nullopt;
  }
  out.id = id->value_or("");
  if (*attributes != nullptr) {
    for (const auto& [name, value] : (*attributes)->items()) {
      if (value.is_string()) {
        out.attributes[name] = value.get<std::string>();
      }
    }
  }
  return out;
}

void write_event(const std::string& data_root, Event event) {
  if (event.time_ns == 0) {
    event.time_ns = now_ns();
  }
  if (const Result<void> written = append(data_root, event); !written) {
    log::debug("{}", written.error().message());
  }
}

void write_container_event(const std::string& data_root, const ContainerState& container,
                           std::string action, std::map<std::string, std::string> more) {
  std::size_t size = 0;
  for (const auto& [name, value] : container.labels) {
    size += name.size() + value.size();
  }
  Event event{"container", std::move(action), container.id, std::move(more), 0};
  event.attributes.emplace("image", container.image);
  event.attributes.emplace("name", container.name);
  if (size <= kMaxLabels) {
    event.attributes.insert(container.labels.begin(), container.labels.end());
  }
  write_event(data_root, std::move(event));
}

Result<EventFilter> EventFilter::parse(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 5> kKeys{"type", "event", "container", "image", "label"};
  EventFilter out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    if (equals == std::string::npos || std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "filter events by", word,
                              "there is no such filter")
                      .with_hint("type=, event=, container=, image= and label= are there"));
    }
    out.rules_[key].push_back(word.substr(equals + 1));
  }
  return out;
}

bool EventFilter::matches(const Event& event, const std::string& key, const std::string& value) {
  if (key == "type") {
    return event.type == value;
  }
  if (key == "event") {
    const std::string action = event.action.substr(0, event.action.find(':'));  // "exec_start: ls"
    return action == value || (value == "remove" && (action == "destroy" || action == "delete"));
  }
  if (key == "container") {
    return event.type == "container" &&
           (attribute(event, "name") == value || (!value.empty() && event.id.starts_with(value)));
  }
  if (key == "image") {
    const std::string name = attribute(event, event.type == "image" ? "name" : "image");
    return name == value || name == value + ":latest" ||
           (event.type == "image" && event.id == value);
  }
  const std::size_t equals = value.find('=');
  const auto label = event.attributes.find(value.substr(0, equals));
  return label != event.attributes.end() &&
         (equals == std::string::npos || label->second == value.substr(equals + 1));
}

bool EventFilter::accepts(const Event& event) const {
  return std::all_of(rules_.begin(), rules_.end(), [&](const auto& rule) {
    const auto fits = [&](const std::string& value) { return matches(event, rule.first, value); };
    return rule.first == "label" ? std::all_of(rule.second.begin(), rule.second.end(), fits)
                                 : std::any_of(rule.second.begin(), rule.second.end(), fits);
  });
}

Result<void> read_events(const std::string& data_root, const EventQuery& query,
                         const std::function<bool(const Event&)>& take) {
  const std::string directory = data_root + kDirectory;
  SBX_TRY(sys::make_dirs(directory, kPrivateDir));
  // Watched before it is read, so that nothing is missed in between.
  const sys::DirectoryWatch watch = SBX_TRY(sys::DirectoryWatch::make(directory));
  EventTail tail(directory, query, take);
  if (!query.since) {
    SBX_TRY(tail.skip_to_end());
  } else if (!SBX_TRY(tail.read_old())) {
    return {};
  }
  for (;;) {
    if (!SBX_TRY(tail.read())) {
      return {};
    }
    const int ms = wait_ms(query.until);
    if (ms == 0) {
      return {};
    }
    (void)watch.wait(-1, ms);
  }
}

}  // namespace sbx::runtime
