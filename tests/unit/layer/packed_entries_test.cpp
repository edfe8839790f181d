#include "layer/packed_entries.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

using sbx::layer::EntryType;
using sbx::layer::ImageTree;
using sbx::layer::PackedEntries;
using sbx::layer::TarEntry;

namespace {

void check_same(const TarEntry& a, const TarEntry& b) {
  CHECK(a.path == b.path);
  CHECK(a.type == b.type);
  CHECK(a.link == b.link);
  CHECK(std::tuple(a.mode, a.uid, a.gid, a.mtime_sec, a.mtime_nsec) ==
        std::tuple(b.mode, b.uid, b.gid, b.mtime_sec, b.mtime_nsec));
  CHECK(std::tuple(a.rdev, a.size, a.data_offset, a.sparse) ==
        std::tuple(b.rdev, b.size, b.data_offset, b.sparse));
  CHECK(a.xattrs == b.xattrs);
  REQUIRE(a.extents.size() == b.extents.size());
  for (std::size_t i = 0; i < a.extents.size(); ++i) {
    CHECK(std::tuple(a.extents[i].file_offset, a.extents[i].length, a.extents[i].tar_offset) ==
          std::tuple(b.extents[i].file_offset, b.extents[i].length, b.extents[i].tar_offset));
  }
}

void check_round_trip(const std::vector<TarEntry>& entries) {
  PackedEntries packed;
  for (const TarEntry& entry : entries) {
    packed.add(entry);
  }
  REQUIRE(packed.count() == entries.size());
  for (int turn = 0; turn < 2; ++turn) {  // a layer that an image has twice is read twice
    PackedEntries::Reader reader(packed);
    for (const TarEntry& entry : entries) {
      const TarEntry* read = reader.next();
      REQUIRE(read != nullptr);
      check_same(*read, entry);
    }
    CHECK(reader.next() == nullptr);
  }
}

TarEntry entry_of(EntryType type, std::string path) {
  TarEntry entry;
  entry.type = type;
  entry.path = std::move(path);
  return entry;
}

/// Everything that an entry of its type can have, from a few values and from all.
TarEntry random_entry(std::mt19937_64& random) {
  const auto number = [&] {
    const std::uint64_t bits = random() % 3 == 0 ? random() : random() % 4;
    return bits;
  };
  TarEntry entry = entry_of(static_cast<EntryType>(random() % 8), std::string(random() % 6, 'a'));
  entry.path += std::to_string(random() % 10);
  entry.mode = static_cast<std::uint32_t>(number() & 07777U);
  entry.uid = static_cast<std::uint32_t>(number());
  entry.gid = static_cast<std::uint32_t>(number());
  entry.mtime_sec = static_cast<std::int64_t>(number());
  entry.mtime_nsec = static_cast<std::uint32_t>(number() % 1'000'000'000);
  if (entry.type == EntryType::kRegular) {
    entry.size = number();
    entry.data_offset = number();
    entry.sparse = random() % 2 == 0;
    for (std::uint64_t left = entry.sparse ? random() % 4 : 0; left != 0; --left) {
      entry.extents.push_back({number(), number(), number()});
    }
  } else if (entry.type == EntryType::kSymlink || entry.type == EntryType::kHardLink) {
    entry.link = std::string(1 + random() % 300, 'l');
  } else if (entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice) {
    entry.rdev = number();
  }
  for (std::uint64_t left = random() % 3; left != 0; --left) {
    entry.xattrs.emplace_back("user." + std::to_string(left), std::string(random() % 3, 'v'));
  }
  return entry;
}

}  // namespace

TEST_CASE("entries of all types come back as they were") {
  std::mt19937_64 random(1);
  std::vector<TarEntry> entries;
  for (int i = 0; i < 5000; ++i) {
    entries.push_back(random_entry(random));
  }
  check_round_trip(entries);
  check_round_trip({});
}

TEST_CASE("the limits of every number") {
  TarEntry large = entry_of(EntryType::kRegular, std::string(4095, 'p'));
  large.mode = 07777;
  large.uid = large.gid = std::numeric_limits<std::uint32_t>::max();
  large.mtime_sec = std::numeric_limits<std::int64_t>::min();
  large.mtime_nsec = 999'999'999;
  large.size = large.data_offset = std::numeric_limits<std::uint64_t>::max();
  large.xattrs = {{"security.capability", std::string(64U << 10U, '\0')}, {"user.empty", ""}};
  TarEntry other = entry_of(EntryType::kRegular, "");
  other.mtime_sec = std::numeric_limits<std::int64_t>::max();
  check_round_trip({large, other, large, large});
}

TEST_CASE(
    "files of one directory take less than 20 bytes each, with a label that is the same too") {
  PackedEntries packed;
  std::uint64_t at = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    TarEntry file =
        entry_of(EntryType::kRegular, "usr/share/locale/file-" + std::to_string(i * 7919));
    file.mode = 0644;
    file.mtime_sec = 1'700'000'000 + i % 7;
    file.size = i * 31;
    file.data_offset = at + 512;
    file.xattrs = {{"security.selinux", "system_u:object_r:usr_t:s0"}};
    at = file.data_offset + (file.size + 511) / 512 * 512;
    packed.add(file);
  }
  CHECK(packed.size() < 20'000);
}
