#include "image/index_entry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "image/foreign_layout.hpp"
#include "oci/manifest.hpp"

namespace sbx::image {
namespace {

std::string_view annotation(const oci::Descriptor& entry, std::string_view key) {
  const auto it = entry.annotations.find(std::string(key));
  return it == entry.annotations.end() ? std::string_view() : std::string_view(it->second);
}

Result<oci::Manifest> read_manifest(const store::Store& store, const oci::Index& index,
                                    const oci::Digest& digest) {
  const std::string text = SBX_TRY(store.read_blob(digest.bytes(), oci::kMaxManifestBytes));
  const auto entry = std::find_if(index.manifests.begin(), index.manifests.end(),
                                  [&](const oci::Descriptor& e) { return e.digest == digest; });
  // Ours are OCI's; a layout of others may have docker's.
  const oci::MediaType type =
      entry == index.manifests.end() ? oci::MediaType::kOciManifest : entry->type();
  return oci::Manifest::parse(text, type, digest.str());
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

/// "name@sha256:..." finds the image by what was loaded or by what is stored, if the name fits too.
Match match_digest(const oci::Index& index, const oci::Digest& digest,
                   std::string_view repository) {
  for (const oci::Descriptor& entry : index.manifests) {
    const bool fits =
        repository.empty() || entry_name(entry).substr(0, repository.size()) == repository;
    if (fits &&
        (entry.digest == digest || annotation(entry, store::kSourceAnnotation) == digest.str() ||
         annotation(entry, store::kSourceIndexAnnotation) == digest.str())) {
      return {MatchKind::kDigest, entry.digest, {}};
    }
  }
  return {};
}

Match match_name(const oci::Index& index, std::string_view query) {
  const Result<oci::Reference> reference = oci::Reference::parse(query);
  if (!reference) {
    return {};
  }
  if (reference->digest()) {
    return match_digest(index, *reference->digest(), reference->repository());
  }
  const std::string name = reference->tagged();
  for (const oci::Descriptor& entry : index.manifests) {
    if (entry_name(entry) == name) {
      return {MatchKind::kName, entry.digest, name};
    }
  }
  return {};
}

Result<Match> match_id(const store::Store& store, const oci::Index& index,
                       std::string_view prefix) {
  Match found;
  for (const oci::Digest& digest : distinct_manifests(index)) {
    const oci::Manifest manifest = SBX_TRY(read_manifest(store, index, digest));
    if (!manifest.config.digest.hex().starts_with(prefix)) {
      continue;
    }
    if (found.kind != MatchKind::kNone) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "find image", prefix,
                              "more than one id begins like that"));
    }
    found = {MatchKind::kId, digest, {}};
  }
  return found;
}

}  // namespace

std::string_view entry_name(const oci::Descriptor& entry) {
  return annotation(entry, oci::kRefNameAnnotation);
}

std::vector<oci::Digest> distinct_manifests(const oci::Index& index) {
  std::vector<oci::Digest> out;
  for (const oci::Descriptor& entry : index.manifests) {
    if (std::find(out.begin(), out.end(), entry.digest) == out.end()) {
      out.push_back(entry.digest);
    }
  }
  return out;
}

void add_entry(oci::Index& index, oci::Descriptor entry) {
  const std::string name(entry_name(entry));
  auto& entries = index.manifests;
  for (oci::Descriptor& other : entries) {
    if (!name.empty() && entry_name(other) == name) {
      other.annotations.erase(std::string(oci::kRefNameAnnotation));
    }
  }
  entries.push_back(std::move(entry));
  // An image has one entry per name, or a single one without. The newest comes last and stays.
  std::vector<oci::Descriptor> kept;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto supersedes = [&](const oci::Descriptor& other) {
      return other.digest == entries[i].digest && entry_name(entries[i]).empty() &&
             (!entry_name(other).empty() || &other > &entries[i]);
    };
    if (std::none_of(entries.begin(), entries.end(), supersedes)) {
      kept.push_back(entries[i]);
    }
  }
  entries = std::move(kept);
}

Result<Match> match_image(const store::Store& store, const oci::Index& index,
                          std::string_view query) {
  if (const Match match = match_name(index, query); match.kind != MatchKind::kNone) {
    return match;
  }
  const bool full = query.starts_with("sha256:");
  const std::string_view hex = full ? query.substr(7) : query;
  if (const std::optional<oci::Digest> digest = oci::Digest::from_hex(hex); full && digest) {
    if (const Match match = match_digest(index, *digest, {}); match.kind != MatchKind::kNone) {
      return match;
    }
  }
  return is_hex(hex) ? match_id(store, index, hex) : Result<Match>(Match{});
}

Result<StoredImage> read_image(const store::Store& store, const oci::Index& index,
                               const oci::Digest& digest) {
  StoredImage out;
  out.manifest = digest;
  for (const oci::Descriptor& entry : index.manifests) {
    if (entry.digest != digest) {
      continue;
    }
    if (!entry_name(entry).empty()) {
      out.names.emplace_back(entry_name(entry));
    }
    if (const std::string_view source = annotation(entry, store::kSourceAnnotation);
        !source.empty()) {
      const oci::Digest parsed = SBX_TRY(oci::Digest::parse(source));
      out.sources.emplace(entry_name(entry), parsed);
      out.source = out.source.value_or(parsed);
    }
    if (const std::string_view from = annotation(entry, store::kSourceIndexAnnotation);
        !from.empty()) {
      out.source_indexes.emplace(entry_name(entry), SBX_TRY(oci::Digest::parse(from)));
    }
    const std::string_view chain = annotation(entry, store::kChainIdAnnotation);
    const std::string_view ref = annotation(entry, kLayoutRefAnnotation);
    if (!chain.empty() || ref.empty()) {
      out.chain_id = SBX_TRY(oci::ChainId::parse(chain));
    }
    out.layout_ref = ref;
  }
  const oci::Manifest manifest = SBX_TRY(read_manifest(store, index, digest));
  out.config_digest = manifest.config.digest;
  const std::string config =
      SBX_TRY(store.read_blob(manifest.config.digest.bytes(), kMaxStoredConfigBytes));
  out.config = SBX_TRY(oci::ImageConfig::parse(config, manifest.config.digest.str()));
  for (const oci::Descriptor& layer : manifest.layers) {
    out.layer_sizes.push_back(layer.size);
    out.size += layer.size;
  }
  return out;
}

}  // namespace sbx::image
