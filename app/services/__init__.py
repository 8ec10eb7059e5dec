"""What people do: one public function an act. Services never call services."""
