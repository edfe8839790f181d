#include "runtime/image_share_key.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sbx::runtime {
namespace {

std::string text_of(const std::vector<sys::IdExtent>& extents) {
  std::string text;
  for (const sys::IdExtent& extent : extents) {
    text += fmt::format(" {}:{}:{}", extent.inside, extent.outside, extent.count);
  }
  return text;
}

std::vector<sys::IdExtent> inside_extents(std::vector<sys::IdExtent> extents) {
  for (sys::IdExtent& extent : extents) {
    extent.outside = extent.inside;
  }
  return extents;
}

bool is_task(std::string_view level) {
  constexpr std::string_view kTask = "task_";
  return level.starts_with(kTask) && level.size() > kTask.size() &&
         std::all_of(level.begin() + kTask.size(), level.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string share_key(const ShareFacts& facts) {
  std::string limits;
  for (const std::uint64_t limit : facts.limits) {
    limits += fmt::format(" {}", limit);
  }
  return fmt::format(
      "program {}\nstores {}\nimage {}\nacls {}\nuids{}\ngids{}\nlimits{}\ncgroup {}",
      facts.program, facts.stores, facts.image, facts.acls, text_of(facts.maps.uids),
      text_of(facts.maps.gids), limits, cgroup_that_ends(facts.cgroup));
}

// FNV-1a, 64 bits (draft-eastlake-fnv): a name only, as the server compares the key itself.
std::string share_name(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return fmt::format("image-{:016x}", hash);
}

std::string cgroup_that_ends(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const std::size_t slash = line.rfind('/');
    if (slash != std::string_view::npos && is_task(line.substr(slash + 1))) {
      line = line.substr(0, slash);
    }
    out += fmt::format("{}\n", line);
  }
  return out;
}

sys::IdMaps inside_maps(const sys::IdMaps& maps) {
  return {inside_extents(maps.uids), inside_extents(maps.gids)};
}

}  // namespace sbx::runtime
