#include "image/manifest_choice.hpp"

#include <fmt/format.h>

#include <set>

#include "image/join.hpp"
#include "image/source_image.hpp"
#include "oci/index.hpp"
#include "oci/manifest.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kMaxIndexDocuments = 64;

class ManifestCollector {
 public:
  explicit ManifestCollector(const IndexReader& read) : read_(read) {}

  Result<void> collect(const std::vector<oci::Descriptor>& entries, std::size_t depth) {
    for (const oci::Descriptor& entry : entries) {
      if (oci::is_manifest(entry.type())) {
        found_.push_back(entry);
      } else if (entry.type() == oci::MediaType::kDockerSchema1) {
        return fail(Error::make(ErrorCode::kUnsupported, "load image", entry.digest.str(),
                                "docker schema 1 manifests are not supported"));
      } else if (oci::is_index(entry.type())) {
        SBX_TRY(collect_index(entry, depth));
      }
      if (found_.size() > oci::kMaxIndexEntries) {
        return fail(Error::make(ErrorCode::kLimit, "load image", "",
                                "its indexes list too many manifests"));
      }
    }
    return {};
  }
  [[nodiscard]] const std::vector<oci::Descriptor>& found() const { return found_; }

 private:
  Result<void> collect_index(const oci::Descriptor& entry, std::size_t depth) {
    if (depth == oci::kMaxIndexDepth || ++documents_ > kMaxIndexDocuments) {
      return fail(Error::make(ErrorCode::kLimit, "load image", entry.digest.str(),
                              "its indexes are nested too deep"));
    }
    const std::string text = SBX_TRY(read_(entry));
    const oci::Index index = SBX_TRY(oci::Index::parse(text, entry.type(), entry.digest.str()));
    return collect(index.manifests, depth + 1);
  }

  const IndexReader& read_;
  std::vector<oci::Descriptor> found_;
  std::size_t documents_ = 0;
};

/// A manifest whose platform is not stated is the last choice: its configuration has the last word.
int rank_of(const oci::Descriptor& manifest, const oci::Platform& wanted) {
  return manifest.platform ? oci::platform_rank(wanted, *manifest.platform) : 1;
}

}  // namespace

Result<oci::Descriptor> choose_manifest(const std::vector<oci::Descriptor>& entries,
                                        const oci::Platform& wanted, const IndexReader& read) {
  ManifestCollector collector(read);
  SBX_TRY(collector.collect(entries, 0));
  const oci::Descriptor* best = nullptr;
  std::vector<std::string> platforms;
  for (const oci::Descriptor& manifest : collector.found()) {
    const int rank = rank_of(manifest, wanted);
    if (rank > 0 && (best == nullptr || rank > rank_of(*best, wanted))) {
      best = &manifest;
    }
    // Buildkit lists its attestations as images for unknown/unknown.
    if (manifest.platform && manifest.platform->os != "unknown") {
      platforms.push_back(manifest.platform->str());
    }
  }
  if (best == nullptr && collector.found().empty()) {
    return fail(
        Error::make(ErrorCode::kUnsupported, "load image", "", "there is no image manifest in it"));
  }
  return best == nullptr ? Result<oci::Descriptor>(fail(no_such_platform(wanted, platforms)))
                         : Result<oci::Descriptor>(*best);
}

Error no_such_platform(const oci::Platform& wanted, const std::vector<std::string>& there_are) {
  const std::set<std::string> distinct(there_are.begin(), there_are.end());
  return Error::make(ErrorCode::kUnsupported, "load image", "",
                     fmt::format("it is not made for {}, only for: {}", wanted.str(),
                                 join({distinct.begin(), distinct.end()}, ", ")))
      .with_hint("choose one of them with --platform");
}

}  // namespace sbx::image
