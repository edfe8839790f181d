#include "layer/layer_index.hpp"

#include <fmt/format.h>

#include "layer/whiteout.hpp"

namespace sbx::layer {
namespace {

Result<void> take(std::atomic<std::uint64_t>& used, std::uint64_t more, std::uint64_t limit,
                  std::string_view what) {
  const std::uint64_t before = used.fetch_add(more, std::memory_order_relaxed);
  if (before > limit || more > limit - before) {
    return fail(Error::make(ErrorCode::kLimit, "index image", "",
                            fmt::format("it has more than {} {}", limit, what)));
  }
  return {};
}

}  // namespace

Result<void> TreeBudget::take_entries(std::uint64_t count) {
  return take(entries_, count, limits_.entries, "files and directories");
}

Result<void> TreeBudget::take_strings(std::uint64_t bytes) {
  return take(strings_, bytes, limits_.string_bytes, "bytes of names and attributes");
}

Result<void> TreeBudget::take_extents(std::uint64_t count) {
  return take(extents_, count, limits_.extents, "extents of sparse files or blocks of a squashfs");
}

/// Paths through chains of symlinks make much work of few bytes.
Result<void> TreeBudget::take_step() {
  if (++steps_ > limits_.steps) {
    return fail(Error::make(ErrorCode::kLimit, "index image", "",
                            "its paths take too much work to follow"));
  }
  return {};
}

Result<void> LayerIndex::add(const TarEntry& entry) {
  SBX_TRY(budget_->take_entries(1));
  const Whiteout whiteout = SBX_TRY(parse_whiteout(entry.path));
  switch (whiteout.kind) {
    case WhiteoutKind::kIgnored:
      return {};
    case WhiteoutKind::kNone:
      return add_entry(entry);
    case WhiteoutKind::kName:
    case WhiteoutKind::kOpaque:
      break;
  }
  return add_whiteout(whiteout.directory, whiteout.name);
}

Result<void> LayerIndex::add_plain(const TarEntry& entry) {
  SBX_TRY(budget_->take_entries(1));
  return add_entry(entry);
}

Result<void> LayerIndex::add_whiteout(std::string_view directory, std::string_view name) {
  SBX_TRY(budget_->take_strings(directory.size() + name.size()));
  whiteouts_.text_after(last_directory_, directory);
  whiteouts_.text(name);
  last_directory_ = directory;
  return {};
}

/// The budget is that of the tree: it does not know how well a path can be packed.
Result<void> LayerIndex::add_entry(const TarEntry& entry) {
  SBX_TRY(budget_->take_strings(entry.path.size() + entry.link.size()));
  if (entry.sparse) {
    SBX_TRY(budget_->take_extents(entry.extents.size()));
  }
  for (const auto& [name, value] : entry.xattrs) {
    SBX_TRY(budget_->take_strings(name.size() + value.size()));
  }
  entries_.add(entry);
  return {};
}

const LayerIndex::Gone* LayerIndex::Whiteouts::next() {
  if (stream_.at_end()) {
    return nullptr;
  }
  stream_.text_after(gone_.directory);
  stream_.text(gone_.name);
  return &gone_;
}

}  // namespace sbx::layer
