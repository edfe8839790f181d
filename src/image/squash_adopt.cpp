#include "image/squash_adopt.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "image/sif.hpp"
#include "image/squash_defaults.hpp"
#include "layer/merged_tree.hpp"
#include "layer/squash_reader.hpp"
#include "layer/squash_scan.hpp"
#include "store/gc.hpp"
#include "store/squashed.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kMostConfig = std::size_t{4} << 20U;

struct Parts {
  layer::SquashSource root;
  std::string architecture;  // empty: not told
  std::optional<Json> oci_config;
};

/// What the image says itself is data for the note; a damaged configuration is none.
Result<std::optional<Json>> read_oci_config(const SquashFile& file, const FileRange& range) {
  if (range.size == 0 || range.size > kMostConfig) {
    return std::optional<Json>();
  }
  std::string text(range.size, '\0');
  (void)SBX_TRY(
      sys::pread_full(file.fd, std::as_writable_bytes(std::span(text)), range.offset, file.path));
  Result<Json> config = parse_json(text, "oci-config.json");
  return config ? std::optional(std::move(config).value()) : std::nullopt;
}

Result<Parts> find_parts(const SquashFile& file) {
  const auto size = static_cast<std::uint64_t>(SBX_TRY(sys::stat_fd(file.fd, file.path)).st_size);
  if (!is_sif(file.fd)) {
    return Parts{{file.fd, 0, size}, "", std::nullopt};
  }
  const Sif sif = SBX_TRY(read_sif(file.fd, size, file.path));
  return Parts{{file.fd, sif.root.offset, sif.root.size},
               sif.architecture,
               SBX_TRY(read_oci_config(file, sif.oci_config))};
}

Result<void> check_architecture(const Parts& parts, const oci::Platform& wanted,
                                const std::string& path) {
  if (parts.architecture.empty() || parts.architecture == wanted.architecture) {
    return {};
  }
  return fail(Error::make(
      ErrorCode::kUnsupported, "run SIF", path,
      fmt::format("it is for {}, not for {}", parts.architecture, wanted.architecture)));
}

}  // namespace

Result<oci::ChainId> adopt_squash(const store::Store& own, const SquashFile& file,
                                  const oci::Platform& wanted, const layer::TreeLimits& limits) {
  const oci::ChainId key = SBX_TRY(store::squash_key_of(file.fd, file.path));
  const Parts parts = SBX_TRY(find_parts(file));
  SBX_TRY(check_architecture(parts, wanted, file.path));
  SBX_TRY(store::clean_leftovers(own));
  store::Staging staging = SBX_TRY(store::Staging::open(own));
  layer::TreeBudget budget(limits);
  layer::LayerIndex index(budget);
  const layer::SquashInfo info =
      SBX_TRY(layer::scan_squash(parts.root, budget, index)
                  .context(fmt::format("reading '{}'", printable(file.path))));
  layer::MergedTree tree(budget);
  const std::uint64_t file_size = parts.root.base + parts.root.size;
  SBX_TRY(tree.apply(index, oci::DiffId(key.bytes()), file_size));
  const sys::Fd made = SBX_TRY(staging.create("tree"));
  SBX_TRY(tree.write(made.get(), key, "tree", info.squash));
  SBX_TRY(staging.add_tree(made, "tree", key));
  SBX_TRY(staging.publish());
  const layer::ImageTree image =
      SBX_TRY(layer::ImageTree::open(SBX_TRY(own.open_tree(key)), file.path));
  layer::SquashReader reader(image, file.fd);
  Json note = squash_note(image, reader, parts.oci_config);
  if (SBX_TRY(store::squash_key_of(file.fd, file.path)) != key) {
    return fail(
        Error::make(ErrorCode::kBusy, "read image file", file.path, "it was written to meanwhile"));
  }
  note["architecture"] = parts.architecture;
  SBX_TRY(store::note_squashed(own, key, file.path, std::move(note)));
  return key;
}

}  // namespace sbx::image
