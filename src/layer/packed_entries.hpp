#pragma once

#include <array>
#include <cstdint>

#include "layer/packed_stream.hpp"
#include "layer/tar_entry.hpp"

namespace sbx::layer {

/// The entries of a layer in the order they came, some 22 bytes each in a tar of /usr: a path without what it shares with the one before, everything
/// else only where it differs from what the one before lets expect. Of an entry is kept what its type uses: the size, the place of
/// the data and the extents of regular files, the numbers of devices, the targets of links.
class PackedEntries {
 public:
  class Reader;

  void add(const TarEntry& entry);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// In bytes.
  [[nodiscard]] std::uint64_t size() const { return stream_.size(); }

 private:
  /// What is known of the entries so far, besides the path: the same for who writes and who reads.
  struct Known {
    std::array<std::uint32_t, 8> modes{};  // by type
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime_sec = 0;
    std::uint32_t mtime_nsec = 0;
    std::uint64_t data_offset =
        512;  // expected of the next entry: there is one header before its data
    std::vector<std::pair<std::string, std::string>> xattrs;  // of the last entry that had some

    void learn(const TarEntry& entry);
  };

  void add_content(const TarEntry& entry);
  void add_extents(const TarEntry& entry);
  void add_xattrs(const TarEntry& entry);

  PackedStream stream_;
  Known known_;
  std::string path_;  // of the last entry
  std::uint64_t count_ = 0;
};

/// The entries must outlive it and not grow meanwhile.
class PackedEntries::Reader {
 public:
  explicit Reader(const PackedEntries& entries) : stream_(entries.stream_) {}

  /// nullptr at the end; else good until the next call.
  const TarEntry* next();

 private:
  void read_content();
  void read_extents();
  void read_xattrs();

  PackedStream::Reader stream_;
  Known known_;
  TarEntry entry_;
};

}  // namespace sbx::layer
