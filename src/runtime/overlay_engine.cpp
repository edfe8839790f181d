#include "runtime/overlay_engine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <time.h>

#include "sys/file.hpp"
#include "sys/probe.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kProbes = "probes";
constexpr const char* kWorks = "works";
constexpr std::size_t kMaxAnswer = 4096;
constexpr time_t kDay = 24 * 60 * 60;

/// Why this container cannot have it, whatever the kernel says; empty if nothing is in the way.
std::string obstacle(const EngineInput& input) {
  if (input.source.kind() != RootSource::Kind::kImage) {
    return "the root is no image";
  }
  if (input.request.storage.bytes != 0 || input.request.storage.files != 0) {
    return "it has no quota (--storage-opt)";
  }
  if (input.ids.single) {
    return "it keeps owners on disk, and there are no subordinate ids for them";
  }
  return {};
}

/// One file for each kernel and file system: a home may be on a server that others use.
std::string answer_path(const std::string& data_root, const struct stat& st) {
  utsname kernel{};
  (void)::uname(&kernel);
  return fmt::format("{}/{}/overlay-{}-{:x}", data_root, kProbes, kernel.release, st.st_dev);
}

/// nullopt if there is none. A failure may have passed with what caused it, so it is believed for a day.
std::optional<std::string> known_answer(const std::string& path) {
  const Result<struct stat> st = sys::stat_at(AT_FDCWD, path);
  const Result<std::string> text =
      st ? sys::read_file_at(AT_FDCWD, path, kMaxAnswer) : fail(st.error());
  if (!text || text->empty() || (*text != kWorks && ::time(nullptr) - st->st_mtime > kDay)) {
    return std::nullopt;
  }
  return *text;
}

/// "works", or why not.
Result<std::string> probe(const std::string& data_root, bool keep) {
  const Result<struct stat> st = sys::stat_at(AT_FDCWD, data_root);
  if (st) {
    if (std::optional<std::string> known = known_answer(answer_path(data_root, *st))) {
      return *std::move(known);
    }
  }
  const sys::Fact fact = sys::probe_overlay(data_root);
  std::string answer = fact.status == sys::FactStatus::kOk ? std::string(kWorks) : fact.found;
  if (keep) {
    SBX_TRY(sys::make_dirs(fmt::format("{}/{}", data_root, kProbes), 0700));
    const struct stat made = SBX_TRY(sys::stat_at(AT_FDCWD, data_root));
    SBX_TRY(sys::write_file_at(AT_FDCWD, answer_path(data_root, made), answer, 0600,
                               sys::Durability::kCached));
  }
  return answer;
}

/// What the measurements of tests/bench/fs say: everything that writes is faster. But what is kept must be read again later,
/// in every detail: by our file system.
bool is_better(const RunRequest& request) { return request.remove && !request.read_only; }

}  // namespace

Result<EngineChoice> choose_engine(const EngineInput& input) {
  const OverlayEngine wanted = input.request.overlay;
  if (wanted == OverlayEngine::kFuse ||
      (wanted == OverlayEngine::kAuto && !is_better(input.request))) {
    return EngineChoice();
  }
  std::string why_not = obstacle(input);
  if (why_not.empty()) {
    const Result<std::string> answer = probe(input.data_root, input.keep_answer);
    why_not = !answer ? answer.error().message() : *answer == kWorks ? "" : *answer;
  }
  if (!why_not.empty()) {
    return wanted == OverlayEngine::kAuto
               ? Result<EngineChoice>(EngineChoice())
               : fail(Error::make(ErrorCode::kUnsupported, "use the kernel's overlay for",
                                  input.request.image, why_not)
                          .with_hint("--overlay=fuse works everywhere"));
  }
  sandbox::KernelOverlay overlay = input.source.root_attributes();
  overlay.upper = input.container + "/upper";
  overlay.work = input.container + "/work";
  overlay.is_volatile = input.request.remove;
  return EngineChoice(std::move(overlay));
}

}  // namespace sbx::runtime
