#include "fixture.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <stdexcept>

namespace sbx::overlay::test {

Path path_of(std::string_view text) {
  Path path;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('/'), text.size());
    path.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return path;
}

Scratch::Scratch(const char* base) {
  base = base != nullptr ? base : std::getenv("SBX_TEST_DIR");
  path_ = std::string(base != nullptr ? base : "/var/tmp") + "/sbx-overlay-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    throw std::runtime_error("mkdtemp " + path_);
  }
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

sys::Fd Scratch::dir(const std::string& name) const {
  std::filesystem::create_directories(path_ + "/" + name);
  return sys::Fd(::open((path_ + "/" + name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

IdView all_ids() { return IdView::full({{0, 65536}}, {{0, 65536}}); }

UpperKind UpperKind::named(std::string_view name) {
  UpperKind kind;
  Abilities& can = kind.allowed;
  const bool plain = name == "plain" || name == "bare";
  if (!plain && name != "xattrs" && name != "side-files") {
    throw std::runtime_error("no such kind of upper directory: " + std::string(name));
  }
  can.xattrs = name == "xattrs" || name == "plain";
  can.devices = can.exchange = can.no_replace = can.leave_whiteout = can.removes_in_use = !plain;
  can.links = name != "bare";
  kind.has = can;
  return kind;
}

UpperKind UpperKind::of_environment() {
  const char* name = std::getenv("SBX_TEST_UPPER");
  UpperKind kind = named(name != nullptr ? name : "xattrs");
  const char* lacks = std::getenv("SBX_TEST_LACKS");
  const std::string words = "," + std::string(lacks != nullptr ? lacks : "") + ",";
  const auto lack = [&](const char* word) { return words.find(word) != std::string::npos; };
  kind.has.xattrs = kind.has.xattrs && !lack(",xattrs,");
  kind.has.exchange = kind.has.exchange && !lack(",rename,");
  kind.has.links = kind.has.links && !lack(",links,");
  return kind;
}

namespace {

/// The file, and where the marks of all files are.
std::pair<sys::Fd, Marks> marks_of(const Scratch& scratch, const std::string& path) {
  sys::Fd store(
      ::open((scratch.path() + "/work/marks").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return {sys::Fd(::open((scratch.path() + "/upper/" + path).c_str(), O_RDONLY | O_CLOEXEC)),
          store ? Marks(std::move(store), sys::Durability::kCached) : Marks()};
}

}  // namespace

std::string stored_mark(const Scratch& scratch, const std::string& path, const char* name) {
  const auto [file, marks] = marks_of(scratch, path);
  std::string value(1000, '\0');
  const auto size = marks.get(file.get(), name, std::as_writable_bytes(std::span(value)));
  return size ? value.substr(0, *size) : "none";
}

void store_mark(const Scratch& scratch, const std::string& path, const char* name,
                const std::string& value) {
  const auto [file, marks] = marks_of(scratch, path);
  if (!marks.set(file.get(), name, std::as_bytes(std::span(value)))) {
    throw std::runtime_error("mark " + path);
  }
}

std::unique_ptr<Upper> open_upper(const Scratch& scratch, const UpperKind& kind) {
  Upper::Options wish;
  wish.allowed = kind.allowed;
  auto upper = Upper::open(scratch.dir("upper"), scratch.dir("work"), wish);
  if (!upper) {
    throw std::runtime_error(upper.error().message());
  }
  return std::move(*upper);
}

std::unique_ptr<Overlay> make_overlay(const Scratch& scratch, std::unique_ptr<Lower> lower,
                                      IdView ids, std::uint64_t copy_by_parts_from,
                                      const UpperKind& kind) {
  return make_overlay(open_upper(scratch, kind), std::move(lower), std::move(ids),
                      copy_by_parts_from);
}

std::unique_ptr<Overlay> make_overlay(std::unique_ptr<Upper> upper, std::unique_ptr<Lower> lower,
                                      IdView ids, std::uint64_t copy_by_parts_from) {
  Overlay::Options options;
  options.lower = std::move(lower);
  options.upper = std::move(upper);
  options.ids = std::move(ids);
  options.durability = Durability::kVolatile;
  options.copy_by_parts_from = copy_by_parts_from;
  options.open_files = 8;  // small, so that it is too small
  auto made = Overlay::make(std::move(options));
  if (!made) {
    throw std::runtime_error(made.error().message());
  }
  return std::move(*made);
}

int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(body());
    } catch (...) {
      ::_exit(127);
    }
  }
  int status = 0;
  const bool ended = child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status);
  return ended && WEXITSTATUS(status) <= 100 ? WEXITSTATUS(status) : -1;
}

bool refuse_calls(std::initializer_list<int> calls, int error) {
  std::vector<struct sock_filter> filter{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  for (const int call : calls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const struct sock_fprog program { static_cast<unsigned short>(filter.size()), filter.data() };
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

Held::~Held() {
  if (lookups_ > 0) {
    overlay_->forget(id_, lookups_);
  }
}

Held& Held::operator=(Held&& other) noexcept {
  std::swap(overlay_, other.overlay_);
  std::swap(id_, other.id_);
  std::swap(lookups_, other.lookups_);
  return *this;
}

FsResult<Held> walk(Overlay& overlay, const Path& path) {
  Held at(overlay, kRootNode, 0);
  for (const std::string& name : path) {
    const Entry entry = SBX_TRY(overlay.lookup(at.id(), name));
    if (entry.id == NodeId(0)) {
      return no(ENOENT);
    }
    // The child is held before the parent is forgotten, as the kernel does it.
    Held child(overlay, entry.id);
    at = std::move(child);
  }
  return at;
}

std::string read_all(Overlay& overlay, NodeId id) {
  std::string content;
  std::byte buffer[1024];
  for (;;) {
    const auto got = overlay.read(id, content.size(), buffer);
    if (!got) {
      return "error " + std::to_string(got.error().value());
    }
    if (*got == 0) {
      return content;
    }
    content.append(reinterpret_cast<const char*>(buffer), *got);
  }
}

namespace {

class Collector final : public DirSink {
 public:
  Collector(Overlay& overlay, std::size_t most) : overlay_(overlay), most_(most) {}
  bool take(std::string_view name, const Entry& entry, std::uint64_t next) override {
    if (taken_.size() == most_) {
      return false;
    }
    taken_.push_back({std::string(name), entry});
    next_ = next;
    return true;
  }
  void restart() override { taken_.clear(); }
  std::vector<Listed> finish() {
    for (const Listed& listed : taken_) {
      if (listed.entry.id != NodeId(0)) {
        overlay_.forget(listed.entry.id, 1);
      }
    }
    return std::move(taken_);
  }
  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  Overlay& overlay_;
  std::size_t most_;
  std::vector<Listed> taken_;
  std::uint64_t next_ = 0;
};

}  // namespace

std::vector<Listed> list_all(Overlay& overlay, NodeId dir, ListKind kind, std::size_t step) {
  std::vector<Listed> all;
  std::uint64_t offset = 0;
  for (;;) {
    Collector collector(overlay, step);
    if (!overlay.list(dir, offset, kind, collector)) {
      return all;
    }
    offset = collector.next();
    auto part = collector.finish();
    if (part.empty()) {
      return all;
    }
    for (Listed& listed : part) {
      if (listed.name != "." && listed.name != "..") {
        all.push_back(std::move(listed));
      }
    }
  }
}

}  // namespace sbx::overlay::test
