#include "model.hpp"

#include <linux/fs.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>

namespace sbx::overlay::test {

namespace {

void touch(ModelNode& dir) { dir.mtime.reset(); }

/// Whether `node` is `dir` or contains it somewhere below.
bool contains(const ModelNode& node, const ModelNode& dir) {
  return &node == &dir || std::ranges::any_of(node.entries, [&](const auto& entry) {
    return contains(*entry.second, dir);
  });
}

}  // namespace

bool ModelNode::is_dir() const { return S_ISDIR(mode); }
std::uint32_t ModelNode::type() const { return mode & S_IFMT; }

std::uint32_t ModelNode::nlink() const {
  if (!is_dir()) {
    return names;
  }
  const auto subdirs =
      std::ranges::count_if(entries, [](const auto& entry) { return entry.second->is_dir(); });
  return names == 0 ? 0 : 2 + static_cast<std::uint32_t>(subdirs);
}

ModelRef make_model_node(std::uint32_t mode, Owner owner, std::string content) {
  auto node = std::make_shared<ModelNode>();
  node->mode = mode;
  node->owner = owner;
  node->content = std::move(content);
  return node;
}

Model::Model() : root_(make_model_node(S_IFDIR | 0755)) { root_->names = 1; }

ModelRef Model::find(const std::vector<std::string>& path) const {
  ModelRef at = root_;
  for (const std::string& name : path) {
    const auto found = at->entries.find(name);
    if (found == at->entries.end()) {
      return nullptr;
    }
    at = found->second;
  }
  return at;
}

int Model::create(ModelNode& dir, const std::string& name, ModelRef node) {
  if (dir.entries.contains(name)) {
    return EEXIST;
  }
  if ((dir.mode & S_ISGID) != 0) {
    node->owner.gid = dir.owner.gid;
    node->mode |= node->is_dir() ? static_cast<std::uint32_t>(S_ISGID) : 0U;
  }
  node->names = 1;
  dir.entries[name] = std::move(node);
  touch(dir);
  return 0;
}

int Model::link(const ModelRef& node, ModelNode& dir, const std::string& name) {
  if (node->is_dir()) {
    return EPERM;
  }
  if (dir.entries.contains(name)) {
    return EEXIST;
  }
  node->names++;
  dir.entries[name] = node;
  touch(dir);
  return 0;
}

int Model::unlink(ModelNode& dir, const std::string& name) {
  const auto found = dir.entries.find(name);
  if (found == dir.entries.end()) {
    return ENOENT;
  }
  if (found->second->is_dir()) {
    return EISDIR;
  }
  found->second->names--;
  dir.entries.erase(found);
  touch(dir);
  return 0;
}

int Model::remove_dir(ModelNode& dir, const std::string& name) {
  const auto found = dir.entries.find(name);
  if (found == dir.entries.end()) {
    return ENOENT;
  }
  if (!found->second->is_dir()) {
    return ENOTDIR;
  }
  if (!found->second->entries.empty()) {
    return ENOTEMPTY;
  }
  found->second->names = 0;
  dir.entries.erase(found);
  touch(dir);
  return 0;
}

int Model::rename(const ModelRef& from_dir, const std::string& from, const ModelRef& to_dir,
                  const std::string& to, unsigned flags) {
  const auto source = from_dir->entries.find(from);
  const auto target = to_dir->entries.find(to);
  const bool exists = target != to_dir->entries.end();
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  if (source == from_dir->entries.end() || (exchange && !exists)) {
    return ENOENT;
  }
  if ((flags & RENAME_NOREPLACE) != 0 && exists) {
    return EEXIST;
  }
  const ModelRef node = source->second;
  if (exists && target->second == node) {
    return 0;
  }
  if (exists && !exchange) {
    const ModelNode& old = *target->second;
    if (node->is_dir() != old.is_dir()) {
      return node->is_dir() ? ENOTDIR : EISDIR;
    }
    if (!old.entries.empty()) {
      return ENOTEMPTY;
    }
  }
  if (contains(*node, *to_dir) || (exchange && contains(*target->second, *from_dir))) {
    return EINVAL;
  }
  touch(*from_dir);
  touch(*to_dir);
  if (exchange) {
    std::swap(source->second, target->second);
    return 0;
  }
  if (exists) {
    ModelNode& old = *target->second;
    old.names = old.is_dir() ? 0 : old.names - 1;
  }
  from_dir->entries.erase(source);
  to_dir->entries[to] = node;
  return 0;
}

void Model::write(ModelNode& node, std::size_t offset, std::string_view data) {
  node.content.resize(std::max(node.content.size(), offset + data.size()), '\0');
  std::ranges::copy(data, node.content.begin() + static_cast<std::ptrdiff_t>(offset));
  node.mtime.reset();
}

void Model::truncate(ModelNode& node, std::size_t size) {
  node.content.resize(size, '\0');
  node.mtime.reset();
}

void Model::chown(ModelNode& node, Owner owner) {
  node.owner = owner;
  if (!node.is_dir()) {
    node.mode &= ~static_cast<std::uint32_t>(S_ISUID);
    if ((node.mode & S_IXGRP) != 0) {
      node.mode &= ~static_cast<std::uint32_t>(S_ISGID);
    }
  }
}

std::vector<std::vector<std::string>> Model::paths() const {
  std::vector<std::vector<std::string>> result;
  std::vector<std::string> path;
  const std::function<void(const ModelNode&)> walk = [&](const ModelNode& node) {
    result.push_back(path);
    for (const auto& [name, child] : node.entries) {
      path.push_back(name);
      walk(*child);
      path.pop_back();
    }
  };
  walk(*root_);
  return result;
}

}  // namespace sbx::overlay::test
