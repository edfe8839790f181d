#include "memory_lower.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sys/at.hpp"

namespace sbx::overlay::test {

MemoryLower::MemoryLower(const Model& model) {
  std::map<const ModelNode*, LowerRef> done;
  (void)copy(model.root(), done);
}

LowerRef MemoryLower::copy(const ModelRef& from, std::map<const ModelNode*, LowerRef>& done) {
  const auto known = done.find(from.get());
  if (known != done.end()) {
    return known->second;
  }
  const LowerRef ref(files_.size() + 1);
  done[from.get()] = ref;
  File& made = files_.emplace_back();
  made.node = *from;
  made.node.entries.clear();
  made.nlink = from->nlink();
  for (const auto& [name, child] : from->entries) {
    const LowerRef child_ref = copy(child, done);
    made.entries.emplace_back(name, child_ref);
    file(child_ref).places.push_back({ref, name});
  }
  return ref;
}

FsResult<LowerPin> MemoryLower::lookup(LowerRef dir, std::string_view name) noexcept {
  for (const auto& [entry, ref] : file(dir).entries) {
    if (entry == name) {
      return LowerPin(*this, ref);
    }
  }
  return no(ENOENT);
}

FsResult<std::uint32_t> MemoryLower::probe(LowerRef dir, std::string_view name) noexcept {
  const LowerPin found = SBX_TRY(lookup(dir, name));
  return file(found.ref()).node.type();
}

FsResult<Attr> MemoryLower::attr(LowerRef ref) noexcept {
  const File& from = file(ref);
  Attr attr;
  attr.ino = ref.get();
  attr.mode = from.node.mode;
  attr.nlink = from.nlink;
  attr.owner = from.node.owner;
  attr.rdev = from.node.rdev;
  attr.size = from.node.content.size();
  attr.mtime.tv_sec = from.node.mtime.value_or(1);
  attr.atime = attr.ctime = attr.mtime;
  return attr;
}

FsResult<std::string> MemoryLower::read_link(LowerRef ref) noexcept {
  return file(ref).node.content;
}

FsResult<std::size_t> MemoryLower::read(LowerRef ref, std::uint64_t offset,
                                        std::span<std::byte> data) noexcept {
  const std::string& content = file(ref).node.content;
  if (offset >= content.size()) {
    return std::size_t{0};
  }
  const std::size_t size = std::min<std::size_t>(data.size(), content.size() - offset);
  std::memcpy(data.data(), content.data() + offset, size);
  return size;
}

FsResult<std::uint64_t> MemoryLower::seek(LowerRef ref, std::uint64_t offset, int whence) noexcept {
  const std::uint64_t size = file(ref).node.content.size();
  if (offset >= size) {
    return no(ENXIO);
  }
  return whence == SEEK_DATA ? offset : size;
}

FsResult<void> MemoryLower::copy_data(LowerRef ref, int to, std::uint64_t length) noexcept {
  const std::string& content = file(ref).node.content;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length, content.size()));
  return sys::at::pwrite_full(to, std::as_bytes(std::span(content.data(), size)), 0);
}

FsResult<void> MemoryLower::list(LowerRef dir, std::uint64_t index, EntrySink& sink) noexcept {
  const auto& entries = file(dir).entries;
  for (; index < entries.size(); ++index) {
    const auto& [name, ref] = entries[index];
    if (!sink.take(index, name, ref.get(), file(ref).node.type())) {
      break;
    }
  }
  return {};
}

FsResult<std::string> MemoryLower::xattr(LowerRef ref, std::string_view name) noexcept {
  const auto& xattrs = file(ref).node.xattrs;
  const auto found = xattrs.find(std::string(name));
  return found == xattrs.end() ? FsResult<std::string>(no(ENODATA)) : found->second;
}

FsResult<std::vector<std::string>> MemoryLower::xattr_names(LowerRef ref) noexcept {
  std::vector<std::string> names;
  for (const auto& [name, value] : file(ref).node.xattrs) {
    names.push_back(name);
  }
  return names;
}

FsResult<std::vector<Lower::Place>> MemoryLower::places(LowerRef ref) noexcept {
  const auto& places = file(ref).places;
  return places.empty() ? FsResult<std::vector<Place>>(no(ENOENT)) : places;
}

FsResult<LowerPin> MemoryLower::by_number(std::uint64_t ino) noexcept {
  if (!valid(LowerRef(ino))) {
    return no(ENOENT);
  }
  return LowerPin(*this, LowerRef(ino));
}

std::uint64_t MemoryLower::number_for_upper(std::uint64_t, std::uint64_t ino) noexcept {
  return files_.size() + ino;
}

void MemoryLower::add_lookups(LowerRef ref, std::uint64_t count) noexcept {
  file(ref).lookups += count;
}

std::uint64_t MemoryLower::drop_lookups(LowerRef ref, std::uint64_t count) noexcept {
  return file(ref).lookups -= count;
}

std::uint64_t MemoryLower::lookups(LowerRef ref) noexcept { return file(ref).lookups; }
bool MemoryLower::valid(LowerRef ref) noexcept {
  return ref.get() >= 1 && ref.get() <= files_.size();
}

std::size_t MemoryLower::known() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(files_, [](const File& file) { return file.lookups > 0; }));
}

}  // namespace sbx::overlay::test
