# Makes a project with a block design: processor system, interconnect, accelerator. A board's file
# sets the variables and reads this one. It was not run in Vivado.
#
#     name, part      of the project and of its device
#     board           a pattern for the files of the board in Vivado, which are optional
#     cell, vlnv      of the processor system
#     preset          options of Vivado's automation for it
#     settings        of it, a dictionary
#     control, memory its ports: a master for registers, a slave to memory
#     clocks          its inputs for the clocks of both
#     clock, reset, irq    its pins
set here [file dirname [file normalize [info script]]]
if {![file exists $here/ip/component.xml]} {
    source $here/package_ip.tcl
}

create_project -force system $here/$name -part $part
set found [get_board_parts -quiet -latest_file_version $board]
if {[llength $found]} {
    set_property board_part [lindex $found 0] [current_project]
} else {
    puts "No files of the board $board: set pins and memory of the processor system yourself."
}
set_property ip_repo_paths $here/ip [current_project]
update_ip_catalog

create_bd_design system
create_bd_cell -type ip -vlnv $vlnv $cell
if {[llength $found]} {
    apply_bd_automation -rule xilinx.com:bd_rule:$cell \
        -config $preset [get_bd_cells $cell]
}
set_property -dict $settings [get_bd_cells $cell]
create_bd_cell -type ip -vlnv mnv2:user:mnv2_axi accelerator
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset
foreach switch {to_control to_memory} {
    create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect $switch
    set_property -dict {CONFIG.NUM_SI 1 CONFIG.NUM_MI 1} [get_bd_cells $switch]
}

proc join_pins {from args} {
    foreach to $args {
        connect_bd_net [get_bd_pins $from] [get_bd_pins $to]
    }
}

proc join_ports {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}

join_pins $cell/$clock reset/slowest_sync_clk accelerator/aclk to_control/aclk to_memory/aclk
foreach pin $clocks {
    join_pins $cell/$clock $cell/$pin
}
join_pins $cell/$reset reset/ext_reset_in
join_pins reset/peripheral_aresetn accelerator/aresetn to_control/aresetn to_memory/aresetn
join_pins accelerator/interrupt $cell/$irq
join_ports $cell/$control to_control/S00_AXI
join_ports to_control/M00_AXI accelerator/s_axi
join_ports accelerator/m_axi to_memory/S00_AXI
join_ports to_memory/M00_AXI $cell/$memory

assign_bd_address
validate_bd_design
save_bd_design
add_files -norecurse [make_wrapper -files [get_files system.bd] -top]
set_property top system_wrapper [current_fileset]
update_compile_order -fileset sources_1
puts "The block design is done: launch_runs impl_1 -to_step write_bitstream"
